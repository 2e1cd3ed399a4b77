// What this server is: a primary, or the replica of one. A variant, so that nothing can be half of
// both; changed in one place, ReplicationControl::change_role() (replication/control.h).
//
//                  REPLICAOF host port
//      +---------+ ------------------> +----------------------+
//      | Primary |                     | Replica{host, port}  |--+  REPLICAOF other port:
//      +---------+ <------------------ +----------------------+<-+  the history stays ours until
//                  REPLICAOF NO ONE                                 the new primary tells another
//
//   Primary -> Replica   the log stays, under our own id: if the new primary knows that history, it
//                        continues it
//   Replica -> Primary   promotion: a new id; the former primary's id becomes the second one, valid
//                        up to here
//   Replica -> Replica   the log stays, under the former primary's id
#pragma once

#include <string>
#include <variant>

#include "base/ascii.h"

namespace tandem {

struct PrimaryRole {
  friend bool operator==(const PrimaryRole&, const PrimaryRole&) = default;
};

struct ReplicaRole {
  std::string primary_host;
  int primary_port = 0;

  // Names of hosts know no case.
  friend bool operator==(const ReplicaRole& a, const ReplicaRole& b) {
    return a.primary_port == b.primary_port && equal_ignore_case(a.primary_host, b.primary_host);
  }
};

using Role = std::variant<PrimaryRole, ReplicaRole>;

}  // namespace tandem
