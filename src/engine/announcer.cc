#include "engine/announcer.h"

#include "engine/engine.h"

namespace tandem {

KeyListener* Announcer::go_on() {
  choice_ = engine_.event_choice.get();
  tracks_ = engine_.tracking.any();
  if (!tracks_ && !choice_.tells_any()) [[likely]]
    return nullptr;
  if (tracks_) engine_.tracking.prepare(news_);
  return this;
}

void Announcer::note_read(uint64_t client, const KeyPlace& place, Bytes key) {
  engine_.tracking.remember(client, place, key, news_);
}

void Announcer::note_everything_changed() {
  if (tracks_) news_.add_everything();
}

void Announcer::tell() { engine_.tracking.deliver(news_); }

void Announcer::heard(const KeyEvent& event, int database, Bytes key) {
  if (!choice_.tells(event.event_class) || engine_.key_event_observer == nullptr) return;
  engine_.key_event_observer->key_event(choice_, event, database, key);
}

// A key that ends by itself is nobody's own change, not even of who has met it then.
void Announcer::changed(const KeyEvent& event, Bytes key, const KeyPlace& place) {
  if (!tracks_) return;
  const bool by_itself =
      event.event_class == KeyEventClass::kExpired || event.event_class == KeyEventClass::kEvicted;
  engine_.tracking.note_change(by_itself ? Tracking::kNobody : client_, place, key, news_);
}

}  // namespace tandem
