#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <vector>

#include "support/explorer/arena.hpp"
#include "support/explorer/race_detector.hpp"
#include "support/explorer/scheduler.hpp"

namespace explorer {

/// A read-modify-write operation: the new value for an old one.
enum class Rmw { kExchange, kAdd, kSub, kAnd, kOr, kXor, kNand };

/// The atomic words, as C++ lets processes see them.
///
/// A word is not one value but the history of its stores. A load need not return the newest: it
/// may return any store that is not older than what the process knows of (its view). A load of a
/// release store by acquire takes over what the storing process knew. So a stale value is seen
/// exactly where the memory orders allow it, up to these limits: a load looks at most kStale stores
/// back, and each stale read counts as a fault. Values are never seen before they are stored (load
/// buffering), which C++ would allow for relaxed operations.
class MemoryModel {
 public:
  MemoryModel(Scheduler& scheduler, Arena& arena, RaceDetector& races)
      : scheduler_(scheduler), arena_(arena), races_(races) {}

  void reset();

  std::uint64_t load(const void* address, int size, std::memory_order order, const void* code);
  void store(void* address, int size, std::uint64_t value, std::memory_order order,
             const void* code);
  std::uint64_t rmw(void* address, int size, Rmw operation, std::uint64_t operand,
                    std::memory_order order, const void* code);
  /// @param expected  becomes the value that was there.
  bool compare_exchange(void* address, int size, std::uint64_t& expected, std::uint64_t desired,
                        std::memory_order success, std::memory_order failure, bool weak,
                        const void* code);
  void fence(std::memory_order order, const void* code);

  // What the kernel does with a word: it sees the newest value, behind a full barrier.

  /// @return the index of the word, which `value` receives.
  int kernel_read(const void* address, std::uint32_t& value, const void* code);
  void kernel_write(void* address, std::uint32_t value, Process& as);
  /// The barrier alone.
  void full_barrier();

  /// The index of the word at this address. It is refused if words overlap.
  int word(const void* address, int size, const void* code);
  [[nodiscard]] bool is_shared(const void* address) const { return arena_.holds(address); }
  [[nodiscard]] int count() const { return used_; }
  /// Where the word is, from the start of the shared memory.
  [[nodiscard]] std::size_t place(int word) const {
    return arena_.offset(words_[static_cast<std::size_t>(word)].address);
  }
  [[nodiscard]] std::uint64_t newest(int word) const {
    return words_[static_cast<std::size_t>(word)].stores.back().value;
  }
  /// The step at which the process last read this word; 0 when it never did.
  [[nodiscard]] int last_read(int word, const Process& process) const {
    return words_[static_cast<std::size_t>(word)]
        .last_read[static_cast<std::size_t>(process.index)];
  }

  /// What comes after run() knows all that there is to know.
  void see_everything(Process& process);

  [[nodiscard]] std::uint64_t fingerprint() const;

 private:
  static constexpr int kStale = 2;

  struct Store {
    std::uint64_t value = 0;
    Knowledge released;  ///< what an acquire of it learns
    std::uint64_t identity = 0;
  };
  struct Word {
    void* address = nullptr;
    int size = 0;
    std::vector<Store> stores;  ///< in modification order
    std::array<int, kMaxProcesses> last_read{};
  };

  Word& find(const void* address, int size, const void* code) {
    return words_[static_cast<std::size_t>(word(address, size, code))];
  }
  static int index_of(const Word& word, const std::vector<Word>& all) {
    return static_cast<int>(&word - all.data());
  }
  /// Takes over what plain accesses did to an atomic word: constructors, memset.
  void catch_up(Word& word);
  void before(std::memory_order order, const Word& word);
  void see(Word& word, std::size_t store, std::memory_order order);
  void push(Word& word, std::uint64_t value, std::memory_order order, bool is_rmw, Process& as);

  Scheduler& scheduler_;
  Arena& arena_;
  RaceDetector& races_;
  std::vector<Word> words_;  // those from used_ on are kept for their memory
  int used_ = 0;
  std::vector<std::int8_t> index_;  // of each byte of the arena: its word, or -1
  /// Of every word, the newest store that the single order of the seq_cst operations has reached.
  View sequential_;
  std::uint64_t fences_ = 0;  // fingerprint of the seq_cst fences, whose order is seen
};

/// The value in a report.
std::string number(std::uint64_t value);

/// What stands for a word's name in a sentence, until the report knows the name: "{24}".
std::string name_token(std::size_t place);

}  // namespace explorer
