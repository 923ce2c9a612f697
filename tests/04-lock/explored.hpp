#pragma once

// The chapter as the explorer sees it: namespace explored in place of mp. What the graders lean on
// is included before, for it is not explored.
#include <gtest/gtest.h>

#include "support/explored.hpp"

#define mp explored
#include "04-lock/condition.hpp"
#include "04-lock/event.hpp"
#include "04-lock/futex.hpp"
#include "04-lock/lock.hpp"
#include "04-lock/rlock.hpp"
#include "04-lock/robust_lock.hpp"
#include "04-lock/semaphore.hpp"
#undef mp
