#include "keyspace/effects.h"

#include "base/number.h"
#include "resp/request.h"

namespace tandem {
namespace {

constexpr Bytes kMulti = "*1\r\n$5\r\nMULTI\r\n";
constexpr Bytes kExec = "*1\r\n$4\r\nEXEC\r\n";

}  // namespace

std::string select_command(int database) {
  std::string out;
  append_request(out, {"SELECT", int64_text(database)});
  return out;
}

void Effects::enter(int database) {
  if (count_ == 0) {
    first_database_ = database_ = database;
    bytes_.assign(kMulti);  // record() leaves it out when there is only one command
  } else if (database != database_) {
    bytes_.append(select_command(database));
    database_ = database;
  }
  ++count_;
}

void Effects::append(int database, std::span<const Bytes> command) {
  enter(database);
  append_request(bytes_, command);
}

void Effects::append_encoded(int database, Bytes request) {
  enter(database);
  bytes_.append(request);
}

Bytes Effects::record() {
  if (count_ == 0) return {};
  if (count_ == 1) return Bytes(bytes_).substr(kMulti.size());
  if (database_ != first_database_) bytes_.append(select_command(first_database_));
  bytes_.append(kExec);
  return bytes_;
}

}  // namespace tandem
