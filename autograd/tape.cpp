#include <autograd/tape.hpp>

namespace autograd {

template <class T>
Variable<T> Tape<T>::name(const Variable<T>& x, std::string_view name) {
    reel_.check("name", x);
    reel_.name(x.index(), name);
    return x;
}

template class Tape<float>;
template class Tape<double>;

}  // namespace autograd
