// The helpers of a simulated node: pieces of work are done in an order by chance, by hands by
// chance, and between any two somebody may look at the node.
#pragma once

#include <algorithm>
#include <cstdint>
#include <functional>
#include <utility>
#include <vector>

#include "base/crew.h"
#include "base/random.h"

namespace tandem {

class SimCrew final : public Crew {
 public:
  SimCrew(uint64_t seed, std::function<void()> look) : chance_(seed), look_(std::move(look)) {}

  int helpers_max() const override { return kHelpers; }
  bool is_worth_sharing(size_t amount) const override { return amount >= 2; }

  void share(size_t pieces, Work work, FunctionRef<void()> first) override {
    ++shared_;
    std::vector<size_t> order(pieces);
    for (size_t i = 0; i < pieces; ++i) {
      order[i] = i;
      std::swap(order[i], order[chance_.below(i + 1)]);
    }
    // The caller is busy with something else until then.
    const size_t caller_comes = chance_.below(pieces + 1);
    for (size_t i = 0; i <= pieces; ++i) {
      if (i == caller_comes) first();
      look_();
      if (i == pieces) return;
      const uint64_t least = i < caller_comes ? 1 : 0;
      work(static_cast<int>(least + chance_.below(kHelpers + 1 - least)), order[i]);
    }
  }

  int64_t shared() const { return shared_; }

 private:
  static constexpr int kHelpers = 2;

  Random chance_;
  const std::function<void()> look_;
  int64_t shared_ = 0;
};

}  // namespace tandem
