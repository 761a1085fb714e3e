#pragma once
// A function and the object it is called on, in two words: no allocation, no virtual function, a
// call through one pointer. std::function would own a copy of what it calls, on the heap if that is
// large; here the object belongs to the caller, who keeps it alive as long as it can be called.
//
//   Callback<std::uint32_t>::to<&Connection::on_io>(connection)   // connection.on_io(events)
//   Delegate<std::uint64_t()>::to<&support::now_ns>()             // no object

#include <functional>
#include <memory>
#include <type_traits>

#include "common/base/check.hpp"

namespace epoll_reference {

template <class Signature>
class Delegate;

template <class Returned, class... Arguments>
class Delegate<Returned(Arguments...)> {
 public:
  // Calls nothing: it must not be called.
  Delegate() = default;

  // `Function` is a member function of T, or a function whose first argument is a T&.
  template <auto Function, class T>
  [[nodiscard]] static Delegate to(T& object) {
    return Delegate(
        [](void* erased, Arguments... arguments) -> Returned {
          return std::invoke(Function, *static_cast<T*>(erased), arguments...);
        },
        const_cast<std::remove_const_t<T>*>(std::addressof(object)));
  }
  // A temporary would be gone before the call.
  template <auto Function, class T>
  static Delegate to(const T&& object) = delete;

  template <auto Function>
  [[nodiscard]] static Delegate to() {
    return Delegate(
        [](void*, Arguments... arguments) -> Returned {
          return std::invoke(Function, arguments...);
        },
        nullptr);
  }

  [[nodiscard]] explicit operator bool() const { return call_ != nullptr; }

  Returned operator()(Arguments... arguments) const {
    CHECK(call_ != nullptr, "an empty callback was called");
    return call_(object_, arguments...);
  }

 private:
  using Call = Returned (*)(void* object, Arguments... arguments);
  Delegate(Call call, void* object) : call_(call), object_(object) {}

  Call call_ = nullptr;
  void* object_ = nullptr;
};

template <class... Arguments>
using Callback = Delegate<void(Arguments...)>;

}  // namespace epoll_reference
