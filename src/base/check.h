// CHECK(condition, reason): a mistake of the program ends it, in release builds too. Never on the
// bytes of a peer, a client or a file: those get a Result. DCHECK costs nothing in release builds.
#pragma once

namespace tandem {

[[noreturn]] void check_failed(const char* file, int line, const char* condition,
                               const char* reason);

}  // namespace tandem

#define CHECK(condition, reason)                                      \
  do {                                                                \
    if (!(condition)) [[unlikely]]                                    \
      ::tandem::check_failed(__FILE__, __LINE__, #condition, reason); \
  } while (false)

#ifdef NDEBUG
#define DCHECK(condition, reason) ((void)0)
#else
#define DCHECK(condition, reason) CHECK(condition, reason)
#endif
