#include "base/error_text.h"

#include <gtest/gtest.h>

namespace tandem {
namespace {

TEST(ErrorText, ShowsNoMoreOfAWordThanItsPartBeforeAZeroByte) {
  const std::string word("a\0b", 3);
  EXPECT_EQ(error_text("'{}' of '{}', {} of {}", word, Bytes(word), "all", 7),
            "'a' of 'a', all of 7");
  EXPECT_EQ(error_text("'{}'", Bytes("\0", 1)), "''");
}

}  // namespace
}  // namespace tandem
