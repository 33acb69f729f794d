// Each allocation fails in turn: an operation ends with std::bad_alloc, nothing ends the program, nothing leaks (the
// sanitizers look), and what was there is whole, so that the next try gives what it would have given.
#define BOOST_TEST_MODULE failing_allocations
#include <autograd/autograd.hpp>
#include <boost/test/unit_test.hpp>
#include <cerrno>
#include <cstdlib>
#include <derivation/derivation.hpp>
#include <functional>
#include <new>
#include <nn/nn.hpp>

#include "temporary_folder.hpp"

namespace {

/// The number of allocations until one fails; 0: none does.
std::size_t until_failure = 0;

bool fails() { return until_failure > 0 && --until_failure == 0; }

}  // namespace

// Arrays come from posix_memalign, everything else in C++ from operator new.
#if defined(__SANITIZE_ADDRESS__)
extern "C" int __interceptor_posix_memalign(void**, std::size_t, std::size_t);
#else
extern "C" void* __libc_memalign(std::size_t, std::size_t) noexcept;
#endif

extern "C" int posix_memalign(void** memory, std::size_t alignment, std::size_t size) noexcept {
    if (fails()) return ENOMEM;
#if defined(__SANITIZE_ADDRESS__)
    return __interceptor_posix_memalign(memory, alignment, size);
#else
    *memory = __libc_memalign(alignment, size);
    return *memory == nullptr ? ENOMEM : 0;
#endif
}

// Not inlined: GCC takes what it sees of one alone for a mistake.
[[gnu::noinline]] void* operator new(std::size_t size) {
    if (fails()) throw std::bad_alloc();
    if (void* memory = std::malloc(size == 0 ? 1 : size)) return memory;
    throw std::bad_alloc();
}
// Where std::stable_sort asks, which does without.
[[gnu::noinline]] void* operator new(std::size_t size, const std::nothrow_t&) noexcept {
    return fails() ? nullptr : std::malloc(size == 0 ? 1 : size);
}
[[gnu::noinline]] void operator delete(void* memory) noexcept { std::free(memory); }
[[gnu::noinline]] void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }

namespace {

using autograd::Array;
using autograd::Tape;

/// Makes the k-th allocation of `operation` fail for k = 1, 2, ... until it ends well, and calls `holds(done)` after
/// each; some are left out where there are thousands. `prepare` comes before each.
std::size_t each_fails(const std::function<void()>& prepare, const std::function<void()>& operation,
                       const std::function<void(bool)>& holds) {
    for (std::size_t k = 1;; k += 1 + k / 50) {
        prepare();
        bool done = false;
        until_failure = k;
        try {
            operation();
            done = true;
        } catch (const std::bad_alloc&) {
        } catch (...) {
            until_failure = 0;
            BOOST_ERROR("another exception than std::bad_alloc where allocation " << k << " fails");
        }
        // One that fails may be done without.
        const bool all_were_there = until_failure > 0;
        until_failure = 0;
        BOOST_TEST_INFO("allocation " << k);
        holds(done);
        if (all_were_there) {
            BOOST_TEST(done);
            BOOST_TEST_MESSAGE(k << " allocations");
            return k;
        }
    }
}

struct Training {
    std::mt19937_64 engine{1};
    nn::Mlp<double> network{{3, 4, 2}, nn::ActivationKind::tanh, engine};
    nn::Adam<double> adam{network.parameters()};
    Tape<double> tape;
    Array<double> x{{0.1, 0.2, 0.3}, {0.5, -0.2, 0.7}, {-0.4, 0.9, 0}};
    autograd::Indices labels{0, 1, 1};

    void step() {
        tape.rewind();
        adam.step(tape.backward(softmax_cross_entropy(network(tape.constant(x)), labels)));
    }
    std::vector<Array<double>> values() const {
        std::vector<Array<double>> all;
        for (const auto& parameter : network.parameters()) all.push_back(parameter.value());
        return all;
    }
};

}  // namespace

BOOST_AUTO_TEST_CASE(a_step_of_training_is_made_or_not) {
    for (const int before : {0, 2}) {
        Training expected;
        for (int i = 0; i < before; ++i) expected.step();
        const auto untouched = expected.values();
        expected.step();
        const auto next = expected.values();
        expected.step();
        std::optional<Training> training;
        each_fails(
            [&] {
                training.emplace();
                for (int i = 0; i < before; ++i) training->step();
            },
            [&] { training->step(); },
            [&](bool done) {
                const auto reached = training->values();
                BOOST_TEST((reached == untouched || reached == next));
                if (done) BOOST_TEST((reached == next));
                if (reached == untouched) training->step();
                BOOST_TEST((training->values() == next));
                training->step();
                BOOST_TEST((training->values() == expected.values()));
            });
    }
}

BOOST_AUTO_TEST_CASE(derivatives_of_two_orders_come_out_right_at_the_next_try) {
    const Array<double> at{0.3, -0.2, 0.7};
    const auto f = [](const autograd::Variable<double>& x) { return sum(exp(sin(x) * x)) / sum(x * x); };
    const auto hessian = [&](Tape<double>& tape) {
        tape.rewind();
        const auto x = tape.variable(at);
        return autograd::hessian(f(x), x);
    };
    Tape<double> fresh;
    const Array<double> expected = hessian(fresh);
    Tape<double> tape;
    Array<double> result;
    each_fails([] {}, [&] { result = hessian(tape); }, [&](bool) { BOOST_TEST((hessian(tape) == expected)); });
    std::vector<autograd::Variable<double>> xs;
    each_fails([] {}, [&] { autograd::gradcheck([&](const auto& inputs) { return f(inputs[0]); }, {at}); },
               [&](bool) { BOOST_TEST((hessian(tape) == expected)); });
}

BOOST_AUTO_TEST_CASE(a_table_is_read_or_not) {
    const Folder folder;
    const std::string path = folder.write("table", "a,b,class\n1,2,x\n3,4,\"y, z\"\n5,6,x\n");
    nn::Dataset<float> data;
    each_fails([&] { data = {}; }, [&] { data = nn::read_csv<float>(path); },
               [&](bool done) { BOOST_TEST(data.classes() == (done ? 2u : 0u)); });
}

BOOST_AUTO_TEST_CASE(a_network_is_saved_or_the_old_file_is_there) {
    for (const bool npz : {false, true}) {
        const Folder folder;
        Training training, other;
        const auto parameters = training.network.parameters();
        const nn::Metadata metadata{{"name of a length that needs memory", "a \"text\"\nthat needs memory, too"}};
        const std::string ending = npz ? ".npz" : "", path = folder / ("file" + ending),
                          fresh = folder / ("new" + ending);
        nn::save(fresh, parameters, metadata);
        const std::string after = bytes_of(fresh);
        std::filesystem::remove(fresh);
        each_fails([&] { folder.write("file" + ending, "old"); }, [&] { nn::save(path, parameters, metadata); },
                   [&](bool done) {
                       const std::string there = bytes_of(path);
                       BOOST_TEST((there == after || (!done && there == "old")),
                                  "there are " << there.size() << " bytes");
                       BOOST_TEST(std::distance(std::filesystem::directory_iterator(folder / ""), {}) == 1);
                   });
        nn::Tensors<double> tensors;
        each_fails([&] { tensors = {}; },
                   [&] { tensors = npz ? nn::read_npz<double>(path) : nn::read_safetensors<double>(path); },
                   [&](bool done) { BOOST_TEST(tensors.arrays.size() == (done ? 4u : 0u)); });
        each_fails([] {}, [&] { nn::read_outline(path); }, [](bool) {});
        const auto zero = [](autograd::Parameter<double> parameter) {
            parameter.edit([](Array<double>& value) { value.fill(0); });
        };
        each_fails([&] { std::ranges::for_each(other.network.parameters(), zero); },
                   [&] { nn::load(path, other.network.parameters()); },
                   [&](bool done) {
                       // All of them or none.
                       for (const Array<double>& value : other.values())
                           if (!done) BOOST_TEST((value == xt::zeros_like(value)));
                       if (done) BOOST_TEST((other.values() == training.values()));
                   });
    }
}

BOOST_AUTO_TEST_CASE(a_derivation_is_judged_as_always_or_not_at_all) {
    const std::string text = R"(
index k, n : output = 3
given z[k]
given y[k] onehot
let p[k] = exp(z[k]) / sum(n, exp(z[n]))
let C = -sum(k, y[k] * log(p[k]))
claim dC/dz[k] = p[k] - y[k]
claim dC/dz[k] = y[k] - p[k]
claim dC/dz = p - q
)";
    const std::string expected = derivation::to_json({derivation::check(text)});
    derivation::Report report;
    const std::size_t count = each_fails([] {},
                                         [&] {
                                             report = derivation::check(text);
                                             derivation::to_text(report);
                                             derivation::to_html({report});
                                         },
                                         [&](bool done) {
                                             if (done) BOOST_TEST(derivation::to_json({report}) == expected);
                                         });
    BOOST_TEST(count > 1000u);
    std::string json;
    each_fails([&] { json.clear(); }, [&] { json = derivation::to_json({report}); },
               [&](bool done) { BOOST_TEST(json == (done ? expected : "")); });
}
