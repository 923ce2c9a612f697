#include "05-queue/crash_safe.hpp"

#include <gtest/gtest.h>

#include "support/lesson.hpp"
