#include "05-queue/blocking_queue.hpp"

#include <gtest/gtest.h>

#include "support/lesson.hpp"
