// Threads that turn what a snapshot's walker has captured into RDB, beside the walker, where
// processors would be idle otherwise: LZF takes far longer than all the rest of a snapshot.
//
//   RdbEncoders encoders(threads);          none are made before there is work for them
//   encoders.add(batch)                     while has_room()
//   encoders.take_encoded()                 in any order
//   encoders.take_waiting()                 what no thread has come to yet: the walker lends a hand
//
// They have the least claim on a processor, so that nobody who serves clients waits for them; where
// all processors are busy the walker does the most itself.
//
// Threads: one, the walker's. The captures are released there as well, or with the destructor.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "base/thread.h"
#include "rdb/rdb_capture.h"

namespace tandem {

class RdbEncoders {
 public:
  struct Batch {
    int database;
    RdbCapture capture;
    std::string encoded{};
  };

  explicit RdbEncoders(int threads) : threads_max_(static_cast<size_t>(threads)) {}
  // What they have not encoded is dropped.
  ~RdbEncoders();
  RdbEncoders(const RdbEncoders&) = delete;
  RdbEncoders& operator=(const RdbEncoders&) = delete;

  bool has_room();
  // REQUIRES: has_room().
  void add(Batch batch);
  std::optional<Batch> take_encoded();
  std::optional<Batch> take_waiting();
  // Waits until one is encoded. False: there is none to wait for.
  bool wait();

 private:
  void run();
  bool next(std::optional<Batch>& batch);

  const size_t threads_max_;
  std::vector<Thread> threads_;

  std::mutex lock_;
  std::condition_variable work_;
  std::condition_variable done_;
  std::deque<Batch> waiting_;
  std::deque<Batch> encoded_;
  size_t under_way_ = 0;
  bool ending_ = false;
};

}  // namespace tandem
