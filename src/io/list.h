// An intrusive doubly linked list: no allocation, and a node leaves its list when it is destroyed.
// It carries waiters, timers' owners and hooks, which live in coroutine frames. Not thread safe.
#pragma once

namespace tandem {

class ListNode {
 public:
  ListNode() noexcept : previous_(this), next_(this) {}
  ~ListNode() { unlink(); }
  ListNode(const ListNode&) = delete;
  ListNode& operator=(const ListNode&) = delete;

  bool linked() const noexcept { return next_ != this; }
  void unlink() noexcept {
    previous_->next_ = next_;
    next_->previous_ = previous_;
    previous_ = next_ = this;
  }
  void insert_before(ListNode& position) noexcept {
    unlink();
    previous_ = position.previous_;
    next_ = &position;
    previous_->next_ = this;
    position.previous_ = this;
  }
  ListNode* next() const noexcept { return next_; }
  ListNode* previous() const noexcept { return previous_; }

 private:
  ListNode* previous_;
  ListNode* next_;
};

// T derives from ListNode, once. The list owns nothing; nodes that are left when it dies are merely
// unlinked.
template <class T>
class IntrusiveList {
 public:
  ~IntrusiveList() { clear(); }
  bool empty() const noexcept { return !head_.linked(); }
  T& front() noexcept { return static_cast<T&>(*head_.next()); }
  T& back() noexcept { return static_cast<T&>(*head_.previous()); }
  void push_back(T& node) noexcept { static_cast<ListNode&>(node).insert_before(head_); }
  void push_front(T& node) noexcept { static_cast<ListNode&>(node).insert_before(*head_.next()); }
  T& pop_front() noexcept {
    T& node = front();
    static_cast<ListNode&>(node).unlink();
    return node;
  }
  // Moves all of `other` behind the nodes here.
  void take(IntrusiveList& other) noexcept {
    while (!other.empty()) push_back(other.pop_front());
  }
  void clear() noexcept {
    while (!empty()) pop_front();
  }

 private:
  ListNode head_;
};

}  // namespace tandem
