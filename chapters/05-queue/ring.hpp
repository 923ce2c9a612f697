#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

#include "02-pipe/bytes.hpp"

namespace mp {

/// Records of any length, one after the other, in memory that processes share: what is written at
/// one end is read at the other, and nothing else is in between, no lock and no system call. Nobody
/// waits here: a full ring refuses, and an empty one has nothing.
///
/// One process at a time writes, and one reads. The two may do so at the same moment. Who has more
/// of them takes a lock for each end.
///
/// A process may be killed at any instruction. A record is in the ring, whole, or it is not.
///
/// What try_push() and try_pop() change, they change with a store that is seq_cst
/// (std::memory_order), and size(), has_room() and pushed() look with loads that are. So one who
/// pushes and looks then whether somebody sleeps, and one who says that he sleeps and looks then
/// whether there is a record, cannot miss each other.
///
/// The object is this process's handle. It owns nothing.
class Ring {
 public:
  /// How far one end has come. It fits into one word, so that one store says all of it at once.
  struct Position {
    std::uint32_t records;  ///< how many have gone by here since the beginning, modulo 2 to the 32
    std::uint32_t unit;     ///< where the next one begins, in units of kUnit bytes
  };

  /// In bytes: two cache lines, since processors like to fetch them in pairs.
  static constexpr std::size_t kApart = 128;

  /// What the processes share. All zeros is an empty ring. What one side writes lies apart from
  /// what the other one writes, or their processors would pull one cache line to and fro.
  struct State {
    /// The reader's end. Whatever lies before it belongs to the writer.
    alignas(kApart) std::atomic<Position> head{Position{0, 0}};
    /// The tail as the reader saw it last, for the reader alone: until then there are records.
    std::atomic<Position> seen_tail{Position{0, 0}};
    /// The writer's end. Whatever lies before it belongs to the reader.
    alignas(kApart) std::atomic<Position> tail{Position{0, 0}};
    /// The head as the writer saw it last, for the writer alone: up to there is room.
    std::atomic<Position> seen_head{Position{0, 0}};
  };

  /// A record begins at a multiple of so many bytes, with its length.
  static constexpr std::size_t kUnit = 8;

  /// What a record of `size` bytes takes, in bytes: its length in one unit, and as many units as
  /// its bytes need. At most `size` + 15.
  static constexpr std::size_t bytes_for(std::size_t size) noexcept {
    return kUnit + (size + kUnit - 1) / kUnit * kUnit;
  }

  /// The largest number of records that a ring holds.
  static constexpr std::uint32_t kMost = 0x7fffffff;

  /// A ring in somebody's shared memory, which must outlive this object.
  /// @param state   all zeros in the beginning.
  /// @param memory  where the records lie, whatever is there in the beginning: a multiple of kUnit
  ///                bytes, aligned to kUnit, less than 32 GiB.
  /// @param most    how many records it holds at most, even if there is memory for more; 1 to
  ///                kMost, and the same in all processes.
  /// @throws ValueError for other memory, or none, or another number.
  Ring(State& state, std::span<std::byte> memory, std::uint32_t most = kMost);

  /// Writes a record, if there is room for it. The reader sees it from then on.
  /// @param record  any number of bytes, 0 as well.
  /// @return false if there is not enough room, or as many records as there may be; nothing has
  ///         changed then.
  /// @throws ValueError for a record that would not fit into the empty ring.
  ///
  /// ### Implementation
  /// The units behind the tail belong to the writer, as long as they do not reach the head: fill
  /// them, and then publish them with *one* store of the tail. A record that reaches the end of the
  /// memory goes on at its beginning. When both ends are at the same unit, the ring is empty or
  /// full: the numbers of records tell. The other side's end is in a cache line that the other
  /// processor writes all the time; so look there only if seen_head does not show room enough.
  bool try_push(std::span<const std::byte> record);

  /// Whether a record has room in the empty ring.
  /// @throws ValueError for one of so many bytes that it has not.
  void check_fits(std::size_t size) const;

  /// Takes the oldest record out.
  /// @return none if the ring is empty.
  /// @throws std::bad_alloc; the record is still there then.
  ///
  /// ### Implementation
  /// Copy it *before* the store to the head: from then on its units are the writer's.
  std::optional<Bytes> try_pop();

  /// How many records are in the ring at this moment; a record half written or half read is not in
  /// between. For any process.
  [[nodiscard]] std::uint32_t size() const noexcept;

  /// How many it holds at most.
  [[nodiscard]] std::uint32_t most() const noexcept { return most_; }

  /// Whether a record of so many bytes would find room at this moment; false for one that would
  /// not fit into the empty ring. For any process.
  [[nodiscard]] bool has_room(std::size_t size) const noexcept;

  /// How many records have been written since the beginning, modulo 2 to the 32. For any process.
  [[nodiscard]] std::uint32_t pushed() const noexcept;

 private:
  State* state_;
  std::span<std::byte> memory_;
  std::uint32_t most_;
};

}  // namespace mp
