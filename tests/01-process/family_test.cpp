#include "support/lesson.hpp"
