// What a thread tells the system: its name, and when it lets others have its processor.
#pragma once

#include <string>

namespace tandem {

// Names the calling thread, as top -H and ps -L show it; the system keeps the first 15 bytes.
void name_thread(const std::string& name);

// For a thread that takes locks and never waits for anything. The system takes it off its processor
// when its slice is over, as likely as not with a lock held, and whoever needs the lock then waits
// until all others have had their turn. So it sleeps a moment of its own accord, with nothing held
// and before the slice is over; it wakes with a new one, on a processor that is free.
void give_way();

}  // namespace tandem
