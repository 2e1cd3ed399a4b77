// Keys whose values are on their way to another server (MIGRATE). From the moment in which they
// were written down until it is known whether they have arrived nobody looks at them here and
// nobody changes them: a command that names one is held back, as by a pause, and goes on when the
// key is through. So the key is never seen at both servers, and no change is lost with it.
//
// Redis has the same by standing still as a whole. Here only who comes to such a key waits, and who
// needs all keys at once (a script, FLUSHALL). SCAN and its like pass by. Keys count by database;
// a transaction, which may go from one to another, waits if any database has the name.
//
// Not held back are the primary's stream and clients who wait for another key (BLMOVE into one that
// moves). Who moves a key watches it besides, as WATCH does.
//
// Threads: any; no call takes a stripe.
#pragma once

#include "base/bytes.h"
#include "base/lock.h"
#include "engine/gate.h"
#include "engine/registrations.h"
#include "keyspace/keyspace.h"

namespace tandem {

class MovingKeys {
 public:
  MovingKeys(Keyspace& keyspace, Gate& gate)
      : databases_(keyspace.database_count()), gate_(gate), keys_(keyspace) {}

  // REQUIRES: the key's stripe held; so whoever takes it next knows. Once is enough.
  void add(int database, Bytes key);
  // Does nothing if it is not there. Who was held back is to be told (Pauses::resume).
  void remove(int database, Bytes key);

  // REQUIRES: the key's stripe held, or else the answer is old.
  bool has(int database, Bytes key);
  bool has_in_any_database(Bytes key);

 private:
  struct Mark {
    bool is_new = true;
  };

  // The gate's bit holds while there is any.
  void count(int change);

  const int databases_;
  Gate& gate_;
  Registrations<Mark> keys_;
  Lock counting_;
  int count_ TANDEM_GUARDED_BY(counting_) = 0;
};

}  // namespace tandem
