// Passwords as they are kept: their SHA-256, as 64 lower-case hexadecimal digits. So rules write
// them ("#<digits>"), and so files and ACL LIST have them.
#pragma once

#include <string>

#include "base/bytes.h"

namespace tandem {

std::string password_hash(Bytes password);

// Whether the text has that form.
bool is_password_hash(Bytes text);

// Takes as long for two that differ early as for two that are the same.
bool same_password_hash(Bytes a, Bytes b);

}  // namespace tandem
