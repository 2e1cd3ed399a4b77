// docs/configuration.md, made from the table of directives: what each takes, and whether it acts
// here. Pure.
#pragma once

#include <string>

namespace tandem {

std::string configuration_page();

}  // namespace tandem
