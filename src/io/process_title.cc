#include "io/process_title.h"

#include <algorithm>
#include <cerrno>
#include <cstring>

#include <unistd.h>

namespace tandem {

// The kernel lays arguments and environment one behind the other. What the program and its
// libraries still read are copies from now on; they live as long as the program.
ProcessTitle::ProcessTitle(int argc, char** argv) {
  if (argc < 1 || argv[0] == nullptr) return;
  begin_ = end_ = argv[0];
  const auto move_away = [this](char*& text) {
    if (text != end_) return;
    end_ = text + std::strlen(text) + 1;
    if (char* copy = ::strdup(text)) text = copy;
  };
  ::program_invocation_name = ::strdup(::program_invocation_name);
  if (char* name = std::strrchr(::program_invocation_name, '/')) {
    ::program_invocation_short_name = name + 1;
  } else {
    ::program_invocation_short_name = ::program_invocation_name;
  }
  for (int at = 0; at < argc; ++at) move_away(argv[at]);
  for (char** variable = ::environ; *variable != nullptr; ++variable) move_away(*variable);
}

void ProcessTitle::show(std::string_view title) {
  if (begin_ == nullptr) return;
  const auto room = static_cast<size_t>(end_ - begin_);
  const size_t shown = std::min(title.size(), room - 1);
  std::copy_n(title.data(), shown, begin_);
  std::fill(begin_ + shown, end_, '\0');
}

}  // namespace tandem
