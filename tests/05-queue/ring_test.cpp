#include "05-queue/ring.hpp"

#include <gtest/gtest.h>

#include "support/lesson.hpp"
