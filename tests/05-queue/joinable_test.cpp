#include "05-queue/joinable.hpp"

#include <gtest/gtest.h>

#include "support/lesson.hpp"
