#pragma once
// Things in the order of their last use, as a cache that gives up the oldest needs it. The links lie
// in the things (T::newer and T::older, of type T*), so nothing is allocated and each operation is
// O(1). Does not own them.

namespace support {

template <class T>
class UseOrder {
 public:
  [[nodiscard]] T* oldest() const { return oldest_; }

  // One that is not in it: used just now.
  void add(T& thing) {
    thing.newer = nullptr;
    thing.older = newest_;
    (newest_ == nullptr ? oldest_ : newest_->newer) = &thing;
    newest_ = &thing;
  }

  void remove(T& thing) {
    (thing.newer == nullptr ? newest_ : thing.newer->older) = thing.older;
    (thing.older == nullptr ? oldest_ : thing.older->newer) = thing.newer;
  }

  // One that is in it was used just now.
  void use(T& thing) {
    if (newest_ != &thing) {
      remove(thing);
      add(thing);
    }
  }

 private:
  T* newest_ = nullptr;
  T* oldest_ = nullptr;
};

}  // namespace support
