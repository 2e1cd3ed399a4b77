// Prints docs/configuration.md.
#include <cstdio>

#include <fmt/core.h>

#include "config/configuration_page.h"

int main() {
  fmt::print("{}", tandem::configuration_page());
  return 0;
}
