#include "05-queue/fast_ring.hpp"

#include <gtest/gtest.h>

#include "support/lesson.hpp"
