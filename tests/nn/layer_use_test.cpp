// Layers in use: what they refuse, their modes, a layer of one's own, summaries, and memory.
#define BOOST_TEST_MODULE layer_use
#include "allocations.hpp"

#include <autograd/gradcheck.hpp>
#include <autograd/operations.hpp>
#include <boost/test/unit_test.hpp>
#include <nn/nn.hpp>
#include <sstream>

#include "temporary_folder.hpp"

namespace {

static_assert(!std::is_constructible_v<nn::LayerNorm<float>, autograd::Shape, bool>);
static_assert(std::is_constructible_v<nn::LayerNorm<float>, autograd::Shape, double, bool>);

using namespace autograd;
using A = Array<double>;
using V = Variable<double>;

const Folder folder;

template <class F>
void throws(F f, const std::string& expected) {
    BOOST_CHECK_EXCEPTION(f(), std::exception, [&](const std::exception& error) {
        BOOST_TEST_MESSAGE(error.what());
        return std::string(error.what()) == expected;
    });
}

A numbers(const Shape& shape, unsigned seed = 1) {
    std::mt19937_64 engine(seed);
    A array(shape);
    for (double& x : array) x = nn::normal(engine);
    return array;
}

/// A layer of one's own, in a file of one's own: x * scale + shift of its normalised sum with a convolution of it.
struct Gated {
    Gated(std::size_t channels, std::mt19937_64& engine)
        : convolution(channels, channels, 3, engine, {.padding = 1}), norm(channels) {}
    V operator()(const V& x) const { return x + norm(convolution(x)) * x.tape().watch(scale); }
    std::vector<Parameter<double>> parameters() const {
        return nn::parameters_of<double>("convolution", convolution, "norm", norm, "scale", scale);
    }
    void train(bool on) { nn::train_parts(on, convolution, norm); }
    nn::Conv2d<double> convolution;
    nn::BatchNorm<double> norm;
    Parameter<double> scale{"scale", A(Shape{1}, 0.5)};
};

nn::Sequential<double> network(unsigned seed) {
    std::mt19937_64 engine(seed);
    return nn::Sequential<double>(nn::Conv2d<double>(1, 2, 3, engine), relu<double>, Gated(2, engine),
                                  nn::Sequential<double>(nn::MaxPool2d<double>(2), nn::Flatten<double>()),
                                  nn::Dropout<double>(0.25, engine), nn::Dense<double>(8, 3, engine));
}

/// What was moved from answers as what it was moved to.
template <class Layer>
void stays(Layer layer, const Shape& shape) {
    const Layer moved = std::move(layer);
    Tape<double> tape;
    const nn::Evaluation evaluation(tape);
    const V x = tape.constant(numbers(shape));
    BOOST_TEST((layer(x).value() == moved(x).value()),
               nn::readable_name(typeid(Layer)));  // NOLINT: it is what is tried
}

}  // namespace

BOOST_AUTO_TEST_CASE(what_was_moved_from_is_what_it_was) {
    std::mt19937_64 engine(1);
    stays(nn::Dense<double>(3, 2, engine), {2, 3});
    stays(nn::Conv2d<double>(2, 1, 2, engine), {1, 2, 3, 3});
    stays(nn::BatchNorm<double>(3), {2, 3});
    stays(nn::Dropout<double>(0.5, engine), {2, 3});
    stays(nn::Gru<double>(3, 2, engine), {2, 2, 3});
    stays(nn::MultiHeadAttention<double>(4, 2, engine), {1, 2, 4});
    stays(nn::Sequential<double>(nn::Dense<double>(3, 3, engine)), {2, 3});
    stays(nn::Mlp<double>({3, 4, 2}, nn::ActivationKind::tanh, engine), {2, 3});

    Parameter<double> w("w", A{1.0, 2.0});
    const Parameter<double> moved = std::move(w);
    BOOST_TEST((w == moved && w.name() == "w"));  // NOLINT: it is what is tried, here and below
    const auto step = [&](auto& optimizer) {
        Tape<double> tape;
        const auto x = tape.watch(moved);
        optimizer.step(tape.backward(sum(x * x)));
    };
    nn::Adam<double> adam({moved});
    step(adam);
    nn::Adam<double> other = std::move(adam);
    step(other);
    BOOST_TEST((adam.steps() == 1 && adam.state().arrays.size() == 2));
    step(adam);
    nn::Sgd<double> sgd({moved}, {.momentum = 0.5}), assigned({moved});
    assigned = std::move(sgd);
    step(sgd);
    BOOST_TEST((sgd.steps() == 1 && assigned.steps() == 0));

    const std::string table = folder.write("table.csv", "x,y\n1,a\n2,b\n");
    nn::CsvReader reader(table, {.label = "y"});
    nn::CsvReader rest = std::move(reader);
    std::vector<double> row;
    std::string label;
    BOOST_TEST((rest.next(row, label) && label == "a"));
    BOOST_TEST((reader.next(row, label) && label == "b"));
    nn::RowStream rows = nn::RowStream::of_table(table);
    const nn::RowStream others = std::move(rows);
    BOOST_TEST(rows.facts().rows == others.facts().rows);
}

BOOST_AUTO_TEST_CASE(weights_larger_than_any_memory_are_refused) {
    std::mt19937_64 engine(1);
    const std::size_t half = std::size_t{1} << 63;  // twice that is 0, and twice one more 2
    const auto refuses = [](auto make) {
        BOOST_CHECK_EXCEPTION(make(), std::length_error, [](const std::length_error& error) {
            return std::string(error.what()).ends_with("is larger than any memory");
        });
    };
    for (const std::size_t width : {half, half + 1, (std::size_t{1} << 61) + 1}) {
        refuses([&] { nn::Dense<double>(width, 2, engine); });
        refuses([&] { nn::Dense<double>(2, width, engine); });
        refuses([&] { nn::Conv2d<double>(width, 2, 1, engine); });
        refuses([&] { nn::Embedding<double>(width, 2, engine); });
        refuses([&] { nn::Embedding<double>(2, width, engine); });
        refuses([&] { nn::Gru<double>(width, 2, engine); });
        refuses([&] { nn::Gru<double>(2, width, engine); });
        refuses([&] { nn::MultiHeadAttention<double>(width, 1, engine); });
        refuses([&] { nn::BatchNorm<double>{width}; });
        refuses([&] { nn::LayerNorm<double>({width, 2}); });
        refuses([&] { nn::RmsNorm<double>({width, 2}); });
    }
    refuses([&] { nn::Conv2d<double>(1, 1, std::size_t{1} << 32, engine); });
}

// In the house's way a convolution is a product of `unfold` and the weights; here with plain loops, too.
BOOST_AUTO_TEST_CASE(a_convolution_is_a_product_with_unfold) {
    const Conv2dOptions options{.stride = {2, 1}, .padding = {1, 2}, .dilation = {1, 2}};
    Tape<double> tape;
    const V x = tape.variable(numbers({2, 3, 6, 5}, 1)), w = tape.variable(numbers({4, 3, 3, 2}, 2));
    const V z = conv2d(x, w, options);
    const V columns = unfold(x, {{3, 2}, options.stride, options.padding, options.dilation});
    const V product = reshape(matmul(reshape(w, {4, 18}), columns), z.shape());
    for (std::size_t i = 0; i < z.size(); ++i)
        BOOST_TEST(std::abs(z.value().data()[i] - product.value().data()[i]) < 1e-12);
    for (std::ptrdiff_t n = 0; n < 2; ++n)
        for (std::ptrdiff_t o = 0; o < 4; ++o)
            for (std::ptrdiff_t i = 0; i < 3; ++i)
                for (std::ptrdiff_t j = 0; j < 7; ++j) {
                    double sum = 0;
                    for (std::ptrdiff_t c = 0; c < 3; ++c)
                        for (std::ptrdiff_t k = 0; k < 3; ++k)
                            for (std::ptrdiff_t l = 0; l < 2; ++l) {
                                const std::ptrdiff_t y = i * 2 + k - 1, at = j + l * 2 - 2;
                                if (y < 0 || y >= 6 || at < 0 || at >= 5) continue;
                                sum += w.value()(o, c, k, l) * x.value()(n, c, y, at);
                            }
                    BOOST_TEST(std::abs(z.value()(n, o, i, j) - sum) < 1e-12);
                }
    BOOST_TEST(to_string(z.shape()) == "(2, 4, 3, 7)");
}

// Windows that move by one pixel are not unfolded, and their results fall into registers in several ways.
template <class T>
void compare_with_unfold(double tolerance) {
    struct Size {
        Shape x, w;
        Conv2dOptions options = {};
    };
    for (const auto& [x_shape, w_shape, options] : {
             Size{{2, 1, 28, 28}, {6, 1, 5, 5}},
             Size{{3, 4, 14, 14}, {16, 4, 3, 3}, {.padding = 1}},
             Size{{2, 8, 8, 8}, {9, 8, 3, 3}, {.padding = 1}},
             Size{{1, 3, 9, 7}, {19, 3, 3, 2}, {.padding = {1, 0}, .dilation = {2, 1}}},
             Size{{2, 6, 5, 33}, {33, 2, 2, 4}, {.padding = {1, 3}, .groups = 3}},
             Size{{1, 2, 1, 70}, {5, 2, 1, 9}, {.padding = {0, 8}}},
             Size{{2, 3, 5, 5}, {4, 3, 5, 5}},
             Size{{300, 1, 5, 5}, {2, 1, 3, 3}},
             Size{{2, 2, 6, 6}, {3, 2, 3, 3}, {.padding = 4}},
             Size{{2, 2, 6, 6}, {3, 2, 3, 3}, {.stride = 2, .padding = 1}},
         }) {
        Tape<T> tape;
        const auto of = [&](const Shape& shape, unsigned seed) { return Array<T>(xt::cast<T>(numbers(shape, seed))); };
        const Variable<T> x = tape.variable(of(x_shape, 1)), w = tape.variable(of(w_shape, 2));
        const auto groups = static_cast<std::size_t>(options.groups), inputs = w.size() / w_shape[0];
        const Variable<T> z = conv2d(x, w, options);
        const Variable<T> columns =
            unfold(x, {{w_shape[2], w_shape[3]}, options.stride, options.padding, options.dilation});
        const Variable<T> product = reshape(matmul(reshape(w, {groups, w_shape[0] / groups, inputs}),
                                                   reshape(columns, {x_shape[0], groups, inputs, columns.shape()[2]})),
                                            z.shape());
        const Array<T> seed = of(z.shape(), 3);
        const auto gradients = tape.backward(z, seed), expected = tape.backward(product, seed);
        const auto near = [&, &shape = x_shape](const char* what, const Array<T>& found, const Array<T>& right) {
            T most = 0, off = 0;
            for (std::size_t i = 0; i < right.size(); ++i) {
                most = std::max(most, std::abs(right.data()[i]));
                off = std::max(off, std::abs(right.data()[i] - found.data()[i]));
            }
            BOOST_TEST((most > 0 && off <= tolerance * most),
                       what << " of images " << to_string(shape) << " is off by " << off);
        };
        near("the result", z.value(), product.value());
        near("the gradient by x", gradients[x], expected[x]);
        near("the gradient by w", gradients[w], expected[w]);
        // Added to what is there.
        const auto twice = tape.backward(z + z * Variable<T>(tape.constant(T(2))) + conv2d(x, w, options), seed);
        near("the sum of gradients by x", twice[x], Array<T>(T(4) * expected[x]));
        near("the sum of gradients by w", twice[w], Array<T>(T(4) * expected[w]));
    }
}
BOOST_AUTO_TEST_CASE(convolutions_of_many_sizes) {
    compare_with_unfold<float>(1e-5);
    compare_with_unfold<double>(1e-13);
    // A gradient meets the weights that saw its pixel, and no other.
    Tape<double> tape;
    const V x = tape.variable(A{{{{1, 2, 3, 4}}}}),
            w = tape.constant(A{{{{std::numeric_limits<double>::infinity(), 1}}}});
    BOOST_TEST(tape.backward(sum(conv2d(x, w)))[x](0, 0, 0, 3) == 1);
}

BOOST_AUTO_TEST_CASE(a_pool_is_the_maximum_of_what_its_window_sees) {
    for (const std::size_t width : {3u, 14u, 16u, 35u})
        for (const Extent stride : {Extent(1), Extent(2)}) {
            Tape<double> tape;
            const Window window{.kernel = {2, 3}, .stride = stride, .dilation = {2, 1}};
            const V x = tape.variable(numbers({2, 3, 6, width}));
            const V z = max_pool2d(x, window);
            const V seen = reshape(unfold(x, window), {2, 3, 6, z.shape()[2] * z.shape()[3]});
            const V most = reshape(amax(seen, {2}), z.shape());
            BOOST_TEST(z.value() == most.value());
            const A seed = numbers(z.shape(), 2), gradient = tape.backward(z, seed)[x];
            const A expected = tape.backward(most, seed)[x];
            for (std::size_t i = 0; i < x.size(); ++i)
                BOOST_TEST(std::abs(gradient.data()[i] - expected.data()[i]) < 1e-14);
        }
}

// The products that leave out a copy, held against those that do not.
BOOST_AUTO_TEST_CASE(a_linear_map_of_stacks) {
    const auto result = gradgradcheck([](const std::vector<V>& xs) { return linear(xs[0], xs[1], xs[2]); },
                                      {numbers({2, 3, 4}), numbers({5, 4}), numbers({5})});
    BOOST_TEST(result.passed, result.message);
    Tape<double> tape;
    const V a = tape.variable(numbers({2, 1, 3, 4}, 1)), b = tape.variable(numbers({5, 4, 2}, 2));
    const V product = matmul(a, b);
    for (std::size_t i = 0; i < 2; ++i)
        for (std::size_t j = 0; j < 5; ++j)
            for (std::size_t r = 0; r < 3; ++r)
                for (std::size_t c = 0; c < 2; ++c) {
                    double sum = 0;
                    for (std::size_t k = 0; k < 4; ++k) sum += a.value()(i, 0, r, k) * b.value()(j, k, c);
                    BOOST_TEST(std::abs(product.value()(i, j, r, c) - sum) < 1e-12);
                }
}

BOOST_AUTO_TEST_CASE(shapes_that_do_not_fit_name_the_layer) {
    std::mt19937_64 engine(1);
    Tape<double> tape;
    const V rows = tape.constant(numbers({2, 3})), images = tape.constant(numbers({2, 3, 4, 4})),
            sequences = tape.constant(numbers({2, 4, 3}));
    const nn::Conv2d<double> conv(2, 5, 3, engine), large(3, 5, 5, engine);
    throws([&] { conv(images); },
           "[conv2d] the input has shape (2, 3, 4, 4), but a weight of shape (5, 2, 3, 3) needs (n, 2, height, width)");
    throws(
        [&] { large(images); },
        "[conv2d] a window of 5 x 5 (dilation 1 x 1) is larger than an image of shape (2, 3, 4, 4) with a padding of "
        "0 x 0");
    throws([&] { nn::Conv2d<double>(3, 4, 3, engine, {.groups = 2}); },
           "[conv2d] 3 channels to 4 by a kernel of 3 x 3 in 2 groups: each is at least 1, and the groups divide the "
           "channels");
    BOOST_TEST(tape.size() == 3u);  // nothing is half recorded
    throws([&] { nn::MaxPool2d<double>(2)(rows); },
           "[max_pool2d] images have the shape (n, channels, height, width), not (2, 3)");
    throws([&] { nn::GlobalAvgPool2d<double>()(rows); },
           "[global_avg_pool2d] images have the shape (n, channels, height, width), not (2, 3)");
    throws([&] { nn::BatchNorm<double>(4)(rows); },
           "[batch_norm] the input has shape (2, 3), but 4 features need (n, 4), with a length or an image behind it");
    throws(
        [&] {
            nn::LayerNorm<double>({2, 3})(sequences);
        },
        "[layer_norm] the input has shape (2, 4, 3), but its last axes must have the shape (2, 3)");
    throws([&] { nn::RmsNorm<double>({4})(rows); },
           "[rms_norm] the input has shape (2, 3), but its last axes must have the shape (4,)");
    throws([&] { nn::LayerNorm<double>({3}, -0.5); }, "[layer_norm] epsilon is -0.5, but cannot be negative");
    throws([&] { nn::RmsNorm<double>({3}, std::nan("")); }, "[rms_norm] epsilon is nan, but cannot be negative");
    const V large_numbers = tape.constant(A{2e200, -2e200});
    BOOST_CHECK_THROW(nn::LayerNorm<double>({2})(large_numbers), std::overflow_error);
    BOOST_CHECK_THROW(nn::RmsNorm<double>({2})(large_numbers), std::overflow_error);
    throws([&] { nn::Embedding<double>(3, 2, engine)(tape, Indices{3}); }, "[embedding] 3 is not one of 3 words");
    throws([&] { nn::Embedding<double>(3, 2, engine)(tape.constant(A{0.5})); },
           "[embedding] 0.5 is the number of no word");
    const auto of_lstm = nn::Lstm<double>(3, 5, engine).run(sequences).state;
    const auto of_gru = nn::Gru<double>(3, 5, engine).run(sequences).state;
    throws([&] { nn::Gru<double>(3, 5, engine).run(sequences, {}, of_lstm); },
           "[gru] the state at the start has a cell: it is another layer's");
    throws([&] { nn::Lstm<double>(3, 5, engine).run(sequences, {}, of_gru); },
           "[lstm] the state at the start has no cell: it is another layer's");
    throws([&] { nn::Gru<double>(2, 5, engine)(sequences); },
           "[gru] the input has shape (2, 4, 3), but must be (n, steps, 2), with one step or more");
    throws(
        [&] {
            nn::Lstm<double>(3, 5, engine).run(sequences, Indices{4, 5});
        },
        "[lstm] a length of 5 is not from 0 to the 4 steps");
    throws([&] { nn::Rnn<double>(3, 5, engine).run(sequences, Indices{4}); },
           "[rnn] lengths of shape (1,) do not fit an input of shape (2, 4, 3)");
    throws([&] { nn::MultiHeadAttention<double>(4, 3, engine); },
           "[multi_head_attention] 3 heads do not divide a width of 4");
    throws([&] { nn::MultiHeadAttention<double>(4, 2, engine)(sequences); },
           "[multi_head_attention] a query of shape (2, 4, 3), a key of (2, 4, 3) and a value of (2, 4, 3) do not fit: "
           "each is (n, places, 4), and key and value have as many places");
    nn::MultiHeadAttention<double> attention(3, 1, engine);
    for (const std::int64_t length : {-1, 5})
        throws(
            [&] {
                attention(sequences, sequences, sequences, Indices{4, length});
            },
            "[multi_head_attention] a length of " + std::to_string(length) + " is not from 0 to the 4 steps");
    // Where it stands in a network is told, too.
    auto model = network(1);
    model.train(true);
    throws(
        [&] {
            model(tape.constant(numbers({2, 1, 8, 8})));
        },
        "[dense] the input has shape (2, 18), but a weight of shape (3, 8) needs (..., n, 8), in layer 5 (Dense)");
    throws([&] { model(rows); },
           "[conv2d] the input has shape (2, 3), but a weight of shape (2, 1, 3, 3) needs (n, 1, height, width), in "
           "layer 0 (Conv2d)");
    const nn::Sequential<double> nested(relu<double>, nn::Sequential<double>(nn::MaxPool2d<double>(2)));
    throws([&] { nested(rows); },
           "[max_pool2d] images have the shape (n, channels, height, width), not (2, 3), in layer 0 (MaxPool2d), in "
           "layer 1 (Sequential)");
}

BOOST_AUTO_TEST_CASE(a_mode_is_never_forgotten) {
    Tape<double> tape;
    std::mt19937_64 engine(1);
    const A images = numbers({3, 2, 2, 2});
    nn::BatchNorm<double> norm(2);
    nn::Dropout<double> dropout(0.5, engine);
    const V x = tape.constant(images);
    throws(
        [&] { norm(x); },
        "[batch_norm] it was never switched: call train(true) before training and train(false) before evaluation, or "
        "evaluate under nn::Evaluation");
    throws([&] { dropout(x); },
           "[dropout] it was never switched: call train(true) before training and train(false) before evaluation, or "
           "evaluate under nn::Evaluation");
    norm.train(true);
    const A before = norm.running_mean.value();
    norm(x);
    const A moved = norm.running_mean.value();
    BOOST_TEST(moved != before);
    {
        const auto pause = tape.pause();
        throws([&] { norm(x); },
               "[batch_norm] it is in training mode, but nothing is recorded: call train(false) before evaluation, or "
               "evaluate under nn::Evaluation");
    }
    {
        const nn::Evaluation evaluation(tape);
        BOOST_TEST(!tape.records());
        const A z = norm(x).value();
        BOOST_TEST(norm.running_mean.value() == moved);
        BOOST_TEST(std::abs(z(0, 1, 0, 0) -
                            (images(0, 1, 0, 0) - moved(1)) / std::sqrt(norm.running_var.value()(1) + 1e-5)) < 1e-12);
        BOOST_TEST(dropout(x).value() == images);
        Tape<double> other;  // no evaluation of this one
        BOOST_TEST(norm(other.constant(images)).value() != z);
    }
    {
        const auto pause = tape.pause();
        const nn::Training training(tape);
        BOOST_TEST(norm(x).value()(0, 0, 0, 0) != images(0, 0, 0, 0));
    }
    BOOST_TEST(tape.records());
    BOOST_TEST(norm.training());
    BOOST_TEST(norm(x).value() != x.value());
    throws(
        [&] {
            norm(tape.constant(numbers({1, 2})));
        },
        "[batch_norm] an input of shape (1, 2) has 1 number of each feature, and in training two are needed");
}

// A layer in a few lines: it trains, saves, loads, and shows in a summary.
BOOST_AUTO_TEST_CASE(a_layer_of_ones_own) {
    auto model = network(1), copy = network(2);
    std::vector<std::string> names;
    for (const auto& parameter : model.parameters()) names.push_back(parameter.name());
    BOOST_TEST(names == (std::vector<std::string>{"0.weight", "0.bias", "2.convolution.weight", "2.convolution.bias",
                                                  "2.norm.weight", "2.norm.bias", "2.norm.running_mean",
                                                  "2.norm.running_var", "2.scale", "5.weight", "5.bias"}),
               boost::test_tools::per_element());
    const A x = numbers({16, 1, 6, 6}, 3);
    const Indices labels(Shape{16}, 1);
    nn::Adam<double> optimizer(model.parameters(), {.rate = 0.01});
    BOOST_TEST(optimizer.parameters().size() == 9u);  // no optimizer changes a buffer
    model.train(true);
    Tape<double> tape;
    double first = 0, last = 0;
    for (int step = 0; step < 30; ++step) {
        tape.rewind();
        const V loss = softmax_cross_entropy(model(tape.constant(x)), labels);
        optimizer.step(tape.backward(loss));
        last = loss.item();
        if (step == 0) first = last;
    }
    BOOST_TEST(last < 0.2 * first);
    nn::save(folder / "model", model.parameters());
    nn::load(folder / "model", copy.parameters());
    tape.rewind();
    const nn::Evaluation evaluation(tape);
    BOOST_TEST(model(tape.constant(x)).value() == copy(tape.constant(x)).value());
}

BOOST_AUTO_TEST_CASE(a_summary) {
    const auto model = network(1);
    const nn::Summary summary = nn::summary(model, A(Shape{2, 1, 6, 6}, 0.0));
    std::ostringstream text;
    text << summary;
    BOOST_TEST_MESSAGE(text.str());
    BOOST_TEST_REQUIRE(summary.rows.size() == 7u);
    const auto check = [&](std::size_t i, const char* number, const char* layer, const char* shape,
                           std::size_t parameters, std::size_t multiply_adds) {
        const nn::SummaryRow& row = summary.rows[i];
        BOOST_TEST(row.number == number);
        BOOST_TEST(row.layer == layer);
        BOOST_TEST(to_string(row.shape) == shape);
        BOOST_TEST(row.parameters == parameters);
        BOOST_TEST(row.multiply_adds == multiply_adds);
    };
    check(0, "0", "Conv2d", "(2, 2, 4, 4)", 20, 2 * 2 * 16 * 9);
    check(1, "1", "function", "(2, 2, 4, 4)", 0, 0);
    check(2, "2", "Gated", "(2, 2, 4, 4)", 38 + 4 + 1, 2 * 2 * 16 * 18);
    check(3, "3.0", "MaxPool2d", "(2, 2, 2, 2)", 0, 0);
    check(4, "3.1", "Flatten", "(2, 8)", 0, 0);
    check(5, "4", "Dropout", "(2, 8)", 0, 0);
    check(6, "5", "Dense", "(2, 3)", 27, 2 * 3 * 8);
    BOOST_TEST(summary.rows[2].buffers == 4u);
    BOOST_TEST(summary.rows[0].bytes == (20 + 64) * sizeof(double));
    BOOST_TEST(summary.total.parameters == 90u);
    BOOST_TEST(text.str().find("2    Gated") != std::string::npos);
    BOOST_TEST(text.str().find("43 + 4") != std::string::npos);
    std::mt19937_64 engine(1);
    const nn::Summary alone = nn::summary(Gated(2, engine), A(Shape{1, 2, 3, 3}, 0.0));
    BOOST_TEST(alone.rows.size() == 1u);
    BOOST_TEST(alone.rows[0].layer == "Gated");
    BOOST_TEST(alone.total.parameters == 43u);
    throws(
        [&] {
            nn::summary(model, A(Shape{2, 5}, 0.0));
        },
        "[conv2d] the input has shape (2, 5), but a weight of shape (2, 1, 3, 3) needs (n, 1, height, width), in "
        "layer 0 (Conv2d)");
}

BOOST_AUTO_TEST_CASE(a_training_step_allocates_nothing_from_the_second_on) {
    const auto allocated = [](const char* what, const std::vector<Parameter<float>>& parameters, auto&& loss_of) {
        Tape<float> tape;
        nn::Sgd<float> optimizer(parameters, {.rate = 1e-3});
        const auto step = [&] {
            tape.rewind();
            optimizer.step(tape.backward(loss_of(tape)));
        };
        for (int i = 0; i < 3; ++i) step();
        const std::size_t before = allocations;
        for (int i = 0; i < 3; ++i) step();
        BOOST_TEST(allocations - before == 0u, what << " allocates " << (allocations - before) / 3. << " times a step");
    };
    std::mt19937_64 engine(1);
    const Array<float> images = xt::cast<float>(numbers({4, 2, 8, 8})), x = xt::cast<float>(numbers({4, 5, 8}));
    nn::Sequential<float> convolutional(
        nn::Conv2d<float>(2, 4, 3, engine, {.padding = 1, .groups = 2}), nn::BatchNorm<float>(4), nn::Gelu<float>(),
        nn::MaxPool2d<float>(2), nn::Conv2d<float>(4, 4, 1, engine), nn::LeakyRelu<float>(), nn::AvgPool2d<float>(2),
        nn::Flatten<float>(), nn::Dropout<float>(0.1, engine), nn::Dense<float>(16, 3, engine));
    convolutional.train(true);
    const Indices labels{0, 2, 1, 0};
    allocated("a convolutional network", convolutional.parameters(),
              [&](Tape<float>& tape) { return softmax_cross_entropy(convolutional(tape.constant(images)), labels); });
    const nn::Gru<float> gru(8, 6, engine);
    allocated("a gru", gru.parameters(), [&](Tape<float>& tape) { return sum(gru(tape.constant(x))); });
    const nn::Lstm<float> lstm(8, 6, engine, {.layers = 2, .bidirectional = true});
    const std::optional<Indices> lengths = Indices{5, 1, 3, 2};
    allocated("an lstm", lstm.parameters(),
              [&](Tape<float>& tape) { return sum(lstm.run(tape.constant(x), lengths).output); });
    const nn::MultiHeadAttention<float> attention(8, 2, engine, {.causal = true});
    const nn::LayerNorm<float> norm({8});
    std::vector<Parameter<float>> parameters = nn::parameters_of<float>("attention", attention, "norm", norm);
    allocated("attention", parameters, [&](Tape<float>& tape) {
        const auto z = norm(tape.constant(x));
        return sum(attention(z, z, z, lengths));
    });
    const nn::Embedding<float> embedding(7, 8, engine);
    const Indices words{{0, 6, 3}, {1, 1, 2}};
    const Array<float> many = xt::cast<float>(numbers({257, 1, 5, 5}));
    const nn::Conv2d<float> convolution(1, 3, 3, engine, {.padding = 1});
    allocated("a convolution of many images", convolution.parameters(),
              [&](Tape<float>& tape) { return sum(convolution(tape.constant(many))); });
    // (of which no product is so large that BLAS takes several threads, and memory for each)
    const Array<float> rows = xt::cast<float>(numbers({16, 784})), weight = xt::cast<float>(numbers({128, 784}));
    const Parameter<float> bias("bias", Array<float>::from_shape({128}));
    allocated("a product of many terms", {bias}, [&](Tape<float>& tape) {
        return sum(linear(tape.constant(rows), tape.constant(weight), tape.watch(bias)));
    });
    allocated("an embedding", embedding.parameters(), [&](Tape<float>& tape) { return sum(embedding(tape, words)); });
}

// What stands behind a sequence's length, be it NaN for recurrent layers, changes nothing.
BOOST_AUTO_TEST_CASE(padding_is_never_read) {
    std::mt19937_64 engine(1);
    A x = numbers({2, 4, 3}), spoiled = x;
    for (std::size_t t = 2; t < 4; ++t)
        for (std::size_t k = 0; k < 3; ++k) spoiled(0, t, k) = 1e6;
    const Indices lengths{2, 4};
    const nn::Lstm<double> lstm(3, 2, engine, {.bidirectional = true});
    const nn::MultiHeadAttention<double> attention(3, 1, engine);
    Tape<double> tape;
    const V clean = tape.variable(x), dirty = tape.variable(spoiled), query = tape.variable(x);
    BOOST_TEST(lstm.run(clean, lengths).output.value() == lstm.run(dirty, lengths).output.value());
    BOOST_TEST(lstm.run(clean, lengths).state.hidden.value() == lstm.run(dirty, lengths).state.hidden.value());
    BOOST_TEST(attention(query, clean, clean, lengths).value() == attention(query, dirty, dirty, lengths).value());
    const auto gradient = tape.backward(sum(lstm.run(dirty, lengths).output))[dirty];
    BOOST_TEST(gradient(0, 2, 0) == 0);
    for (double& number : spoiled)
        if (number == 1e6) number = std::nan("");
    const auto nan = tape.variable(spoiled);
    const auto result = lstm.run(nan, lengths).output;
    BOOST_TEST(result.value() == lstm.run(clean, lengths).output.value());
    const auto of_clean = tape.backward(sum(lstm.run(clean, lengths).output)), of_nan = tape.backward(sum(result));
    for (const auto& parameter : lstm.parameters()) BOOST_TEST(of_nan[parameter] == of_clean[parameter]);
    BOOST_TEST(of_nan[nan](0, 2, 0) == 0);
    // A sequence of no steps gives 0, and a place that sees nothing the bias alone.
    const auto none = lstm.run(clean, Indices{0, 4}).output.value();
    BOOST_TEST(none(0, 0, 0) == 0);
    BOOST_TEST(attention(query, clean, clean, Indices{0, 4}).value()(0, 0, 0) == attention.out_proj.bias.value()(0));
}
