#include "05-queue/simple_queue.hpp"

#include <gtest/gtest.h>

#include "support/lesson.hpp"
