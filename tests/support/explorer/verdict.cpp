#include "support/explorer/verdict.hpp"

namespace explorer {

const char* words(Verdict verdict) {
  switch (verdict) {
    case Verdict::kRight:
      return "no error found";
    case Verdict::kExclusion:
      return "mutual exclusion broken";
    case Verdict::kDataRace:
      return "data race";
    case Verdict::kDeadlock:
      return "deadlock";
    case Verdict::kLostWakeup:
      return "lost wake-up";
    case Verdict::kLivelock:
      return "livelock";
    case Verdict::kStranger:
      return "released by a stranger";
    case Verdict::kOverCount:
      return "counted too far";
    case Verdict::kProperty:
      return "what must stay true does not";
    case Verdict::kPastDeadline:
      return "a wait past its deadline";
    case Verdict::kException:
      return "an exception that nobody caught";
    case Verdict::kPrivateFutex:
      return "a private futex between processes";
    case Verdict::kRefused:
      return "not known to the explorer";
    case Verdict::kNotReproducible:
      return "not reproducible";
  }
  return "";
}

}  // namespace explorer
