// A replica that started from a file must go on from there by partial sync if whom it follows has
// the bytes from its place on, in a history that both share. Looked at after each event of the
// world, from the start until the first sync.
#pragma once

#include <optional>
#include <string>

#include "log/log.h"
#include "log/position.h"
#include "replication/link_progress.h"

namespace tandem {

class Resumption {
 public:
  // At `place` it will ask to go on.
  explicit Resumption(const Position& place) : place_(place) {}

  enum class Verdict { kPending, kResumed, kFull, kFullThoughItHadTheBytes };

  // `followed`: the log of the node it follows; null while that is down.
  Verdict look(const LinkProgress& link, const Log* followed);
  // It follows another one from here on.
  void redirected() { had_bytes_ = false; }

 private:
  bool has_bytes(const Log& followed) const;

  const Position place_;
  bool had_bytes_ = false;  // at each moment since the link's current try began
};

}  // namespace tandem
