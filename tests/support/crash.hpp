#pragma once

namespace mp::test {

/// From here on a fatal signal (SIGSEGV, SIGABRT, …) first says where it happened, as a record of
/// kind "crash" with lines `MODULE OFFSET`, innermost call first, and then kills as it would have.
/// Does nothing under AddressSanitizer, which has a report of its own.
void report_crashes();

}  // namespace mp::test
