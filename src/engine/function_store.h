// The libraries of functions (FUNCTION LOAD) as those see them who keep data and carry them: texts,
// which go into a snapshot and come out of one. They are data without keys. What runs them lies to
// the right of here (script/functions.h).
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "keyspace/keyspace.h"

namespace tandem {

class FunctionStore {
 public:
  // Whole texts, by the name of the library. They live on, whatever becomes of the libraries.
  using Codes = std::vector<std::shared_ptr<const std::string>>;

  // Libraries that lie beside those that are served, as what a snapshot brings does until it is
  // whole. Confined to one thread; freeing many takes a while, and wants no lock held.
  class Aside {
   public:
    virtual ~Aside() = default;
    // Runs the library's code, which may take some time. The error says what is wrong with it.
    virtual Result<void> add(Bytes code) = 0;
  };

  virtual Codes codes(const AllStripes& all) const = 0;
  // None yet. Any thread.
  virtual std::unique_ptr<Aside> begin_aside() = 0;
  // What lies aside is served from here on; what was served goes with `aside`. That was begun here.
  virtual void install(const AllStripes& all, Aside& aside) = 0;

 protected:
  ~FunctionStore() = default;
};

}  // namespace tandem
