// What an execution makes known of its changes to those who have no part in it:
//
//   events of keys    to subscribers (notify-keyspace-events), while they happen
//   invalidations     to clients that cache (engine/tracking.h), behind the last change
//
// Both under the stripes: all hear what happens to a key in its order, and nobody knows of a change
// before who has to be told of it.
//
// Where nobody wants to hear of either, an execution has no listener, and a change costs a branch.
//
// Belongs to the thread that executes. Used again and again.
#pragma once

#include <cstdint>

#include "base/bytes.h"
#include "engine/tracking.h"
#include "keyspace/event_choice.h"
#include "keyspace/view.h"

namespace tandem {

struct Engine;

class Announcer final : public KeyListener {
 public:
  // The engine outlives it.
  explicit Announcer(Engine& engine) : engine_(engine) {}

  // An execution begins, under its stripes, for this client (or Tracking::kNobody). Null: nobody
  // wants to hear of it.
  KeyListener* begin(uint64_t client) {
    client_ = client;
    return go_on();
  }
  // The same for its next command: the one before may have changed who wants to hear.
  KeyListener* go_on();
  // The client has read the key.
  void note_read(uint64_t client, const KeyPlace& place, Bytes key);
  // Databases have changed as a whole.
  void note_everything_changed();
  // Behind the last change, the stripes still held: tells what is not told yet.
  void tell();

  void heard(const KeyEvent& event, int database, Bytes key) override;
  void changed(const KeyEvent& event, Bytes key, const KeyPlace& place) override;

 private:
  Engine& engine_;
  EventChoice choice_;
  bool tracks_ = false;  // somebody does
  uint64_t client_ = Tracking::kNobody;
  TrackingNews news_;
};

}  // namespace tandem
