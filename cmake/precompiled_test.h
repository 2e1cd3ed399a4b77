// As precompiled.h, for tests.
#pragma once

#include "precompiled.h"

#include <gtest/gtest.h>
