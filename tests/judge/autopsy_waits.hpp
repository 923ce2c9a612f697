#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "judge/autopsy_calls.hpp"
#include "judge/autopsy_scene.hpp"

/// @file
/// The calls whose arguments lie in the memory of the waiting process: poll(2) and its kin,
/// futex(2), nanosleep(2). Each function gives the words that follow "is blocked in".

namespace mp::judge {

/// Argument `index` as the int that the call takes: the upper half of the register means nothing.
int int_argument(const Call& call, std::size_t index);

struct Watched {
  int fd = -1;
  unsigned events = 0;  ///< POLLIN …; epoll(7) has the same bits
};

/// The descriptors of a poll(2), select(2), epoll_wait(2) or one of their kin; of other calls none.
std::vector<Watched> watched_descriptors(const Call& call);

/// poll(2) and ppoll(2): the descriptors, what each is and who could make it ready, the time-out.
std::string in_poll(const Call& call, Scene& scene);

/// select(2) and pselect6, in the same words.
std::string in_select(const Call& call, Scene& scene);

/// epoll_wait(2), epoll_pwait and epoll_pwait2, in the same words.
std::string in_epoll(const Call& call, Scene& scene);

/// futex(2): where the word is, in what memory, its value now and the value expected.
std::string in_futex(const Call& call, Scene& scene);

/// nanosleep(2) and clock_nanosleep(2): how long.
std::string in_sleep(const Call& call, Scene& scene);

}  // namespace mp::judge
