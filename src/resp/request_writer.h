// Encodes commands as RESP arrays of bulk strings: effects for the log, requests to a primary.
#pragma once

#include <initializer_list>
#include <span>
#include <string>

#include "base/bytes.h"

namespace tandem {

// Each appends one whole command to `out`.
void append_request(std::string& out, std::span<const Bytes> args);
void append_request(std::string& out, std::initializer_list<Bytes> args);
void append_request(std::string& out, std::span<const std::string> args);

// For arguments that come one by one: exactly `count` calls of append_argument follow.
void append_request_header(std::string& out, size_t count);
void append_argument(std::string& out, Bytes argument);

}  // namespace tandem
