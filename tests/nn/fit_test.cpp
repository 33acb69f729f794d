// Trainings that are killed, stopped, resumed, and given files that are not theirs.
#define BOOST_TEST_MODULE fit
#ifndef BOOST_TEST_DYN_LINK
#define BOOST_TEST_DYN_LINK
#endif
#include <sys/wait.h>
#include <unistd.h>

#include <autograd/error.hpp>
#include <autograd/operations.hpp>
#include <boost/test/unit_test.hpp>
#include <cmath>
#include <csignal>
#include <filesystem>
#include <nn/dense.hpp>
#include <nn/fit.hpp>
#include <nn/gradient_tools.hpp>
#include <nn/layers.hpp>
#include <nn/lbfgs.hpp>
#include <nn/mlp.hpp>
#include <nn/mode.hpp>
#include <nn/normalization.hpp>
#include <nn/safetensors.hpp>
#include <random>
#include <set>

#include "check_message.hpp"
#include "fuzz/fuzz.hpp"
#include "temporary_folder.hpp"

namespace {

using autograd::Array;
using autograd::FileError;
using autograd::Parameter;
using autograd::Shape;

/// Three classes on two spirals' worth of numbers, none of them random.
template <class T>
nn::Dataset<T> classes(std::size_t rows = 90) {
    nn::Dataset<T> data{Array<T>(Shape{rows, 2}), autograd::Indices(Shape{rows}), {"a", "b", "c"}, {"x", "y"}};
    for (std::size_t i = 0; i < rows; ++i) {
        const double t = static_cast<double>(i), r = 0.5 + std::fmod(0.37 * t, 1.0);
        const double angle = 2.1 * static_cast<double>(i % 3) + r + 0.2 * std::sin(5 * t);
        data.features(i, 0) = static_cast<T>(r * std::cos(angle));
        data.features(i, 1) = static_cast<T>(r * std::sin(angle));
        data.labels(i) = static_cast<std::int64_t>(i % 3);
    }
    return data;
}

/// y = sin(x0) - x1, and 2 x0.
template <class T>
nn::Dataset<T> numbers(std::size_t rows = 64) {
    nn::Dataset<T> data{Array<T>(Shape{rows, 2}), {}, {}};
    data.target_names = {"y", "z"};
    data.targets = Array<T>(Shape{rows, 2});
    for (std::size_t i = 0; i < rows; ++i) {
        const double a = std::cos(1.7 * static_cast<double>(i)), b = std::sin(2.9 * static_cast<double>(i));
        data.features(i, 0) = static_cast<T>(a);
        data.features(i, 1) = static_cast<T>(b);
        data.targets(i, 0) = static_cast<T>(std::sin(a) - b);
        data.targets(i, 1) = static_cast<T>(2 * a);
    }
    return data;
}

template <class T>
nn::Sequential<T> network(std::size_t outputs, std::size_t width = 12) {
    std::mt19937_64 engine(7);
    return nn::Sequential<T>(nn::Dense<T>(2, width, engine), nn::BatchNorm<T>(width), autograd::relu<T>,
                             nn::Dropout<T>(0.2, engine), nn::Dense<T>(width, outputs, engine));
}

template <class T>
std::string bits(const std::vector<Parameter<T>>& parameters) {
    std::string all;
    for (const auto& parameter : parameters)
        all.append(reinterpret_cast<const char*>(parameter.value().data()), parameter.value().size() * sizeof(T));
    return all;
}

/// All that a training may have: micro-batches, dropout, running statistics, a schedule, clipping, the best epoch of a
/// validation.
std::string trained(const std::string& checkpoint, bool resume) {
    auto model = network<float>(3);
    nn::Adam<float> optimizer(model.parameters(), {.rate = 0.02});
    nn::FitOptions<float> options{.epochs = 6, .batch = 8, .optimizer = &optimizer};
    options.micro_batch = 3;
    options.clip_norm = 1;
    options.average = 0.9;
    options.schedule = nn::one_cycle(6 * 9);
    options.validation_share = 0.2;
    options.patience = 5;
    options.checkpoint = checkpoint;
    options.checkpoint_seconds = 0;
    options.resume = resume;
    options.history = checkpoint.empty() ? "" : checkpoint + ".csv";
    options.progress = nullptr;
    nn::fit(model, classes<float>(), options);
    return bits(model.parameters());
}

}  // namespace

BOOST_AUTO_TEST_CASE(a_network_learns_in_one_line) {
    std::mt19937_64 engine(1);
    nn::Mlp<float> model({2, 16, 3}, nn::ActivationKind::tanh, engine);
    const auto history = nn::fit(model, classes<float>(), {.epochs = 60, .batch = 8, .progress = nullptr});
    BOOST_TEST(history.epochs.size() == 60u);
    BOOST_TEST(history.best == 60u);
    BOOST_TEST(history.epochs.back().training.metric > 0.9);
    BOOST_TEST(history.epochs.back().training.loss < history.epochs.front().training.loss);
}

// What fit does is this loop.
BOOST_AUTO_TEST_CASE(it_is_the_plain_loop) {
    const auto data = numbers<double>();
    std::mt19937_64 engine(3);
    nn::Mlp<double> model({2, 6, 2}, nn::ActivationKind::tanh, engine);
    std::vector<Parameter<double>> copies;
    for (const auto& parameter : model.parameters()) copies.push_back(parameter.clone());
    nn::Sgd<double> optimizer(model.parameters(), {.rate = 0.1, .momentum = 0.9});
    nn::fit(model, data,
            {.epochs = 3, .batch = 10, .optimizer = &optimizer, .engine = std::mt19937_64(5), .progress = nullptr});
    const std::string fitted = bits(model.parameters());

    for (std::size_t i = 0; i < copies.size(); ++i)
        Parameter<double>(model.parameters()[i]).edit([&](auto& value) { value = copies[i].value(); });
    nn::Sgd<double> other(model.parameters(), {.rate = 0.1, .momentum = 0.9});
    std::mt19937_64 order(5);
    autograd::Tape<double> tape;
    Array<double> x, targets;
    for (int epoch = 0; epoch < 3; ++epoch) {
        nn::Batches<double> batches(data, 10, order);
        for (int step = 0; step < 7; ++step) {
            batches.next(x, targets);
            tape.rewind();
            other.step(tape.backward(mean_squared_error(model(tape.constant(x)), tape.constant(targets))));
        }
    }
    BOOST_TEST((bits(model.parameters()) == fitted));
}

// The same loop once more, with plain numbers where fit clips and averages.
BOOST_AUTO_TEST_CASE(it_clips_each_number_and_ends_with_the_averages) {
    const auto data = numbers<double>();
    std::mt19937_64 engine(3);
    nn::Mlp<double> model({2, 6, 2}, nn::ActivationKind::tanh, engine);
    std::vector<Parameter<double>> copies;
    for (const auto& parameter : model.parameters()) copies.push_back(parameter.clone());
    nn::Sgd<double> optimizer(model.parameters(), {.rate = 0.1});
    nn::FitOptions<double> options{
        .epochs = 3, .batch = 10, .optimizer = &optimizer, .engine = std::mt19937_64(5), .progress = nullptr};
    options.clip_value = 0.02;
    options.average = 0.75;
    options.validation = &data;
    const auto history = nn::fit(model, data, options);
    autograd::Tape<double> tape;
    Array<double> x = data.features, targets = data.targets;
    BOOST_TEST(history.best == 3u);
    BOOST_TEST(mean_squared_error(model(tape.constant(x)), tape.constant(targets)).item() ==
                   history.epochs.back().validation->loss,
               boost::test_tools::tolerance(1e-12));

    std::vector<Parameter<double>> parameters = model.parameters();
    std::vector<Array<double>> fitted, averages;
    for (std::size_t i = 0; i < copies.size(); ++i) {
        fitted.push_back(parameters[i].value());
        parameters[i].edit([&](auto& value) { value = copies[i].value(); });
    }
    std::mt19937_64 order(5);
    for (int epoch = 0; epoch < 3; ++epoch) {
        nn::Batches<double> batches(data, 10, order);
        for (int step = 0; step < 7; ++step) {
            batches.next(x, targets);
            tape.rewind();
            const auto gradients = tape.backward(mean_squared_error(model(tape.constant(x)), tape.constant(targets)));
            for (std::size_t i = 0; i < parameters.size(); ++i) {
                const Array<double> gradient = gradients[parameters[i]];
                parameters[i].edit([&](auto& value) {
                    for (std::size_t k = 0; k < value.size(); ++k)
                        value.data()[k] -= 0.1 * std::min(std::max(gradient.data()[k], -0.02), 0.02);
                });
                const Array<double>& value = parameters[i].value();
                if (epoch == 0 && step == 0)
                    averages.push_back(value);
                else
                    for (std::size_t k = 0; k < value.size(); ++k)
                        averages[i].data()[k] = 0.75 * averages[i].data()[k] + 0.25 * value.data()[k];
            }
        }
    }
    for (std::size_t i = 0; i < averages.size(); ++i)
        for (std::size_t k = 0; k < averages[i].size(); ++k)
            BOOST_TEST(fitted[i].data()[k] == averages[i].data()[k], boost::test_tools::tolerance(1e-12));
}

// In parts of 4 rows, the last of a batch of 10 has 2, and that of the last batch too.
BOOST_AUTO_TEST_CASE(micro_batches_give_what_the_batch_gives) {
    const auto of_classes = classes<double>(46);
    const auto of_numbers = numbers<double>(46);
    auto bunched = of_classes;
    for (std::size_t i = 0; i < 46; ++i) bunched.labels(i) = i < 40 ? 2 : 0;
    for (const nn::Dataset<double>* data :
         std::vector<const nn::Dataset<double>*>{&of_classes, &of_numbers, &bunched}) {
        // Of those that are bunched some micro-batches weigh nothing.
        const std::vector<double> weights = {100, 0.5, data == &bunched ? 0.0 : 2.0};
        const double smoothing = data == &bunched ? 0 : 0.1;
        std::vector<std::vector<Array<double>>> ends;
        std::vector<nn::History> histories;
        for (const std::size_t micro : {0, 4}) {
            std::mt19937_64 engine(3);
            nn::Mlp<double> model({2, 6, data->is_regression() ? std::size_t{2} : std::size_t{3}},
                                  nn::ActivationKind::tanh, engine);
            nn::Sgd<double> optimizer(model.parameters(), {.rate = 0.05, .momentum = 0.9});
            nn::FitOptions<double> options{.epochs = 3, .batch = 10, .micro_batch = micro, .optimizer = &optimizer};
            if (data == &bunched) options.batch = 46;
            if (!data->is_regression()) {
                options.loss = [&](const autograd::Variable<double>& output, const nn::Batch<double>& batch) {
                    return softmax_cross_entropy(output, batch.labels,
                                                 {.class_weights = weights, .label_smoothing = smoothing});
                };
                options.weight = [&](const nn::Batch<double>& batch) {
                    double sum = 0;
                    for (const auto label : batch.labels) sum += weights[static_cast<std::size_t>(label)];
                    return sum;
                };
            }
            options.clip_norm = 0.3;
            options.average = 0.5;
            options.progress = nullptr;
            std::size_t most = 0;
            const auto net = [&](const autograd::Variable<double>& x) {
                most = std::max(most, x.shape()[0]);
                return model(x);
            };
            histories.push_back(nn::fit<double>(net, model.parameters(), *data, options));
            BOOST_TEST(most == (micro == 0 ? options.batch : micro));
            ends.emplace_back();
            for (const auto& parameter : model.parameters()) ends.back().push_back(parameter.value());
        }
        for (std::size_t i = 0; i < ends[0].size(); ++i)
            for (std::size_t k = 0; k < ends[0][i].size(); ++k)
                BOOST_TEST(ends[0][i].data()[k] == ends[1][i].data()[k], boost::test_tools::tolerance(1e-12));
        for (std::size_t i = 0; i < 3; ++i) {
            const nn::Measured &whole = histories[0].epochs[i].training, &parts = histories[1].epochs[i].training;
            BOOST_TEST(whole.loss == parts.loss, boost::test_tools::tolerance(1e-12));
            BOOST_TEST(whole.metric == parts.metric, boost::test_tools::tolerance(1e-12));
        }
    }
}

// Batch norm is over a micro-batch, dropout draws for one after the other: the loop that is written with
// `add_gradients`.
BOOST_AUTO_TEST_CASE(micro_batches_are_the_plain_loop) {
    const auto data = numbers<double>(46);
    const auto model = network<double>(2), same = network<double>(2);
    nn::Sgd<double> optimizer(model.parameters(), {.rate = 0.05}), other(same.parameters(), {.rate = 0.05});
    nn::fit(model, data,
            {.epochs = 2,
             .batch = 10,
             .micro_batch = 4,
             .optimizer = &optimizer,
             .engine = std::mt19937_64(5),
             .progress = nullptr});
    std::mt19937_64 engine(5);
    autograd::Tape<double> tape;
    const nn::Training<double> training(tape, engine);
    for (int epoch = 0; epoch < 2; ++epoch) {
        nn::DatasetBatches<double> pairs(data);  // of which micro-batches of 4, 4 and 2 rows are put together
        pairs.begin(2, &engine);
        for (std::size_t done = 0; done < 46; done += 10) {
            const std::size_t rows = std::min<std::size_t>(10, 46 - done);
            std::optional<autograd::Gradients<double>> sum;
            for (std::size_t begin = 0; begin < rows; begin += 4) {
                const std::size_t n = std::min<std::size_t>(4, rows - begin);
                nn::Batch<double> part{Array<double>(Shape{n, 2}), {}, Array<double>(Shape{n, 2})}, two;
                for (std::size_t i = 0; i < n; i += 2) {
                    pairs.next(two);
                    std::copy_n(two.x.data(), 4, part.x.data() + 2 * i);
                    std::copy_n(two.targets.data(), 4, part.targets.data() + 2 * i);
                }
                tape.rewind();
                const double share = static_cast<double>(n) / static_cast<double>(rows);
                auto gradients =
                    tape.backward(mean_squared_error(same(tape.constant(part.x)), tape.constant(part.targets)) * share);
                if (sum)
                    nn::add_gradients(*sum, gradients, other.parameters());
                else
                    sum.emplace(std::move(gradients));
            }
            other.step(*sum);
        }
    }
    const auto left = model.parameters(), right = same.parameters();
    for (std::size_t i = 0; i < left.size(); ++i)
        for (std::size_t k = 0; k < left[i].value().size(); ++k)
            BOOST_TEST(std::abs(left[i].value().data()[k] - right[i].value().data()[k]) < 1e-12);
}

BOOST_AUTO_TEST_CASE(killed_at_any_moment_and_resumed_it_ends_with_the_same_bits) {
    const std::string whole = trained("", false);
    std::mt19937_64 engine(std::random_device{}());
    const char* asked = std::getenv("DELTARULE_KILLS");
    int killed = 0;
    for (int round = 0; round < (asked != nullptr ? std::atoi(asked) / 4 : 3); ++round) {
        const Folder folder;
        const std::string checkpoint = folder / "checkpoint", end = folder / "end";
        for (int tries = 0; !std::filesystem::exists(end) && tries < 1000; ++tries) {
            const pid_t child = fork();
            if (child == 0) {
                std::signal(SIGALRM, SIG_DFL);
                try {
                    folder.write("end", trained(checkpoint, std::filesystem::exists(checkpoint)));
                } catch (const std::exception& error) {
                    folder.write("end", error.what());
                }
                _exit(0);
            }
            usleep(static_cast<useconds_t>(engine() % 40000));
            if (tries < 20) kill(child, SIGKILL);
            int status = 0;
            waitpid(child, &status, 0);
            killed += WIFSIGNALED(status);
        }
        const std::string resumed = bytes_of(end);
        BOOST_TEST((resumed == whole), (resumed.size() == whole.size() ? "other bits" : resumed));
        const std::string rows = bytes_of(checkpoint + ".csv");
        BOOST_TEST(rows.starts_with("epoch,loss,accuracy,validation_loss,validation_accuracy,rate\n1,"));
    }
    BOOST_TEST(killed > 0);
}

BOOST_AUTO_TEST_CASE(stopped_by_a_callback_it_goes_on_where_it_was) {
    const Folder folder;
    const auto data = numbers<double>();
    const auto run = [&](std::size_t stop_after, bool resume) {
        auto model = network<double>(2);
        nn::RMSprop<double> optimizer(model.parameters(), {.rate = 0.01, .momentum = 0.5});
        nn::FitOptions<double> options{.epochs = 8, .batch = 10, .optimizer = &optimizer};
        options.plateau = nn::PlateauOptions{.factor = 0.5, .patience = 0, .threshold = 0.3};
        options.progress = nullptr;
        if (stop_after > 0 || resume) options.checkpoint = folder / "checkpoint";
        options.history = folder / "history.csv";
        options.resume = resume;
        std::size_t steps = 0;
        options.on_step = [&](const nn::Epoch&) { return ++steps != stop_after; };
        const auto history = nn::fit(model, data, options);
        BOOST_TEST(history.stopped == (stop_after > 0));
        return std::pair(bits(model.parameters()), bytes_of(folder / "history.csv"));
    };
    const auto whole = run(0, false);
    for (const std::size_t steps : {1, 6, 7, 8, 30}) {
        run(steps, false);
        run(2, true);
        const auto resumed = run(0, true);
        BOOST_TEST((resumed.first == whole.first), "after " << steps << " steps");
        BOOST_TEST(resumed.second == whole.second);
    }
    BOOST_TEST(whole.second.find(",0.005\n") != std::string::npos, whole.second);  // the plateau lowered the rate
}

BOOST_AUTO_TEST_CASE(the_best_epoch_of_the_validation_is_kept) {
    const auto data = classes<double>();
    auto validation = classes<double>(30);  // with some wrong labels: the surer the network, the larger the loss
    for (std::size_t i = 0; i < 10; ++i) validation.labels(i) = (validation.labels(i) + 1) % 3;
    const auto run = [&](const std::string& checkpoint, bool resume, std::vector<std::string>& after) {
        std::mt19937_64 engine(1);
        nn::Mlp<double> model({2, 8, 3}, nn::ActivationKind::tanh, engine);
        nn::Adam<double> optimizer(model.parameters(), {.rate = 0.03});
        nn::FitOptions<double> options{.epochs = 100, .batch = 16, .optimizer = &optimizer, .validation = &validation};
        options.patience = 4;
        options.progress = nullptr;
        options.checkpoint = checkpoint;
        options.resume = resume;
        options.on_epoch = [&](const nn::Epoch&) {
            after.push_back(bits(model.parameters()));
            return checkpoint.empty();
        };
        const auto history = nn::fit(model, data, options);
        return std::pair(history, bits(model.parameters()));
    };
    std::vector<std::string> after, others;
    const auto [history, end] = run("", false, after);
    BOOST_TEST_REQUIRE(history.is_early);
    BOOST_TEST(history.epochs.size() == history.best + 4);
    for (const auto& epoch : history.epochs)
        BOOST_TEST(epoch.validation->loss >= history.epochs[history.best - 1].validation->loss);
    BOOST_TEST((end == after[history.best - 1]));
    // Stopped after each epoch, and resumed.
    const Folder folder;
    for (bool resume = false;; resume = true) {
        const auto [part, reached] = run(folder / "checkpoint", resume, others);
        if (part.stopped) continue;
        BOOST_TEST((reached == end));
        BOOST_TEST(part.best == history.best);
        break;
    }
    BOOST_TEST((others == after));
}

BOOST_AUTO_TEST_CASE(a_file_has_a_line_for_each_epoch) {
    std::FILE* file = std::tmpfile();
    std::mt19937_64 engine(1);
    nn::Mlp<float> model({2, 4, 2}, nn::ActivationKind::tanh, engine);
    nn::fit(model, numbers<float>(), {.epochs = 2, .validation_share = 0.25, .progress = file});
    std::string text(2000, ' ');
    std::rewind(file);
    text.resize(std::fread(text.data(), 1, text.size(), file));
    std::fclose(file);
    BOOST_TEST(text.starts_with("epoch 1/2: loss "), text);
    BOOST_TEST(std::count(text.begin(), text.end(), '\n') == 2);
    BOOST_TEST(text.find("; validation loss ") != std::string::npos);
    BOOST_TEST(text.find('\r') == std::string::npos);
}

BOOST_AUTO_TEST_CASE(a_loss_of_ones_own) {
    auto model = network<double>(3);
    nn::FitOptions<double> options{.epochs = 30, .batch = 8, .progress = nullptr};
    options.loss = [](const autograd::Variable<double>& output, const nn::Batch<double>& batch) {
        return softmax_cross_entropy(output, batch.labels, {.label_smoothing = 0.1});
    };
    const auto history = nn::fit(model, classes<double>(), options);
    BOOST_TEST(history.epochs.back().training.loss < 0.8 * history.epochs.front().training.loss);
    options.loss = [](const autograd::Variable<double>& output, const nn::Batch<double>&) {
        return sum(output * output) * std::numeric_limits<double>::infinity();
    };
    check_message([&] { nn::fit(model, classes<double>(), options); },
                  "[fit] the loss overflows before the first step");
    options.loss = [count = 0](const autograd::Variable<double>& output, const nn::Batch<double>&) mutable {
        return sum(output * output) * (++count < 3 ? 1.0 : std::numeric_limits<double>::infinity());
    };
    check_message([&] { nn::fit(model, classes<double>(), options); },
                  "[fit] the loss overflows in epoch 1: try a rate below 0.001");
    options.loss = {};
    auto data = classes<double>();
    data.features(7, 1) = std::numeric_limits<double>::quiet_NaN();
    check_message([&] { nn::fit(model, data, options); }, "its rows hold a number that is not");
    options.validation = &data;
    options.patience = 3;
    check_message([&] { nn::fit(model, classes<double>(), options); },
                  "[fit] the loss of the validation is not finite in epoch 1, so that no epoch is the best");
}

// Batches whose rows weigh differently: the loss of an epoch, and of the validation, is the mean of all its rows.
BOOST_AUTO_TEST_CASE(a_weighted_loss_is_the_mean_over_weights) {
    const auto data = classes<double>(1100);
    std::vector<double> weights(data.classes());
    for (std::size_t k = 0; k < weights.size(); ++k) weights[k] = k == 0 ? 100 : 0.5;
    std::mt19937_64 engine(1);
    nn::Mlp<double> model({2, 5, 3}, nn::ActivationKind::tanh, engine);
    nn::Sgd<double> still(model.parameters(), {.rate = 0});
    nn::FitOptions<double> options{.epochs = 1, .batch = 7, .optimizer = &still};
    options.loss = [&](const autograd::Variable<double>& output, const nn::Batch<double>& batch) {
        return softmax_cross_entropy(output, batch.labels, {.class_weights = weights});
    };
    options.weight = [&](const nn::Batch<double>& batch) {
        double sum = 0;
        for (const auto label : batch.labels) sum += weights[static_cast<std::size_t>(label)];
        return sum;
    };
    options.validation = &data;
    options.progress = nullptr;
    const auto history = nn::fit(model, data, options);
    autograd::Tape<double> tape;
    const auto whole =
        softmax_cross_entropy(model(tape.constant(data.features)), data.labels, {.class_weights = weights});
    BOOST_TEST(std::abs(history.epochs[0].training.loss - whole.item()) < 1e-12);
    BOOST_TEST(std::abs(history.epochs[0].validation->loss - whole.item()) < 1e-12);
    options.weight = [](const nn::Batch<double>&) { return -1.0; };
    check_message([&] { nn::fit(model, data, options); }, "[fit] a batch weighs -1");
    options.weight = [](const nn::Batch<double>&) { return 0.0; };
    check_message([&] { nn::fit(model, data, options); }, "[fit] the rows of the validation weigh nothing together");
    options.micro_batch = 3;
    check_message([&] { nn::fit(model, data, options); }, "[fit] the rows of a batch weigh nothing together");
}

namespace {

/// What a training by L-BFGS ends with, and its history.
std::pair<std::string, std::string> by_lbfgs(const nn::Dataset<double>& data, const std::string& checkpoint,
                                             bool resume, std::size_t killed_in = 0, std::size_t micro_batch = 0,
                                             const std::function<bool()>& on_evaluation = {}) {
    std::mt19937_64 engine(3);
    nn::Mlp<double> model({2, 6, 2}, nn::ActivationKind::tanh, engine);
    nn::Lbfgs<double> optimizer(model.parameters(), {.iterations = 4, .history = 6});
    nn::FitOptions<double> options{.epochs = 5, .batch = 64, .micro_batch = micro_batch, .optimizer = &optimizer};
    options.validation = &data;
    options.average = 0.5;
    options.checkpoint = checkpoint;
    options.checkpoint_seconds = 0;
    options.resume = resume;
    options.progress = nullptr;
    options.on_epoch = [&](const nn::Epoch& epoch) {
        if (epoch.number == killed_in) throw std::runtime_error("killed");
        return true;
    };
    options.on_evaluation = on_evaluation;
    std::string losses;
    for (const auto& epoch : nn::fit(model, data, options).epochs)
        losses += std::to_string(epoch.training.loss) + " " + std::to_string(epoch.validation->loss) + "\n";
    return {bits(model.parameters()), losses};
}

}  // namespace

// An epoch is a step, over the rows in their own order.
BOOST_AUTO_TEST_CASE(lbfgs_is_its_own_plain_loop) {
    const auto data = numbers<double>();
    std::mt19937_64 engine(3);
    nn::Mlp<double> model({2, 6, 2}, nn::ActivationKind::tanh, engine);
    std::vector<Parameter<double>> start;
    for (const auto& parameter : model.parameters()) start.push_back(parameter.clone());
    const auto fitted = [&](std::size_t micro_batch, std::size_t iterations) {
        for (std::size_t i = 0; i < start.size(); ++i)
            Parameter<double>(model.parameters()[i]).edit([&](auto& value) { value = start[i].value(); });
        nn::Lbfgs<double> optimizer(model.parameters(), {.iterations = iterations});
        nn::FitOptions<double> options{.epochs = 4, .batch = 100, .micro_batch = micro_batch, .optimizer = &optimizer};
        options.progress = nullptr;
        const auto history = nn::fit(model, data, options);
        BOOST_TEST(optimizer.steps() == 4u);
        std::vector<double> numbers;
        for (const auto& parameter : model.parameters())
            numbers.insert(numbers.end(), parameter.value().begin(), parameter.value().end());
        for (const auto& epoch : history.epochs) numbers.push_back(epoch.training.loss);
        return numbers;
    };
    // Rounding grows from iteration to iteration.
    const auto few = fitted(0, 2), parts = fitted(10, 2), whole = fitted(0, 20);
    for (std::size_t i = 0; i < few.size(); ++i) BOOST_TEST(std::abs(parts[i] - few[i]) < 1e-12);
    for (std::size_t i = 0; i < start.size(); ++i)
        Parameter<double>(model.parameters()[i]).edit([&](auto& value) { value = start[i].value(); });
    nn::Lbfgs<double> plain(model.parameters());
    autograd::Tape<double> tape;
    std::vector<double> losses, ends;
    for (int step = 0; step < 4; ++step)
        losses.push_back(plain.step(tape, [&] {
            return mean_squared_error(model(tape.constant(data.features)), tape.constant(data.targets));
        }));
    for (const auto& parameter : model.parameters())
        ends.insert(ends.end(), parameter.value().begin(), parameter.value().end());
    ends.insert(ends.end(), losses.begin(), losses.end());
    BOOST_TEST((whole == ends));
    BOOST_TEST(losses.back() < 0.01 * losses.front());
}

BOOST_AUTO_TEST_CASE(lbfgs_goes_on_after_each_epoch) {
    const auto data = numbers<double>();
    for (const std::size_t micro_batch : {0, 7}) {
        const auto whole = by_lbfgs(data, "", false, 0, micro_batch);
        for (std::size_t epoch = 1; epoch <= 5; ++epoch) {
            const Folder folder;
            check_message([&] { by_lbfgs(data, folder / "c", false, epoch, micro_batch); }, "killed");
            const auto resumed = by_lbfgs(data, folder / "c", true, 0, micro_batch);
            BOOST_TEST((resumed.first == whole.first), "killed in epoch " << epoch);
            BOOST_TEST(resumed.second == whole.second);
        }
    }
}

// Nothing of the step remains, whichever evaluation or micro-batch of it was the last.
BOOST_AUTO_TEST_CASE(a_step_of_lbfgs_is_ended_between_its_evaluations) {
    const auto data = numbers<double>();
    for (const std::size_t micro_batch : {0, 25}) {
        const auto whole = by_lbfgs(data, "", false, 0, micro_batch);
        for (int last = 1; last <= 25; ++last) {
            const Folder folder;
            int asked = 0;
            const auto end = [&] { return ++asked < last; };
            const auto ended = by_lbfgs(data, folder / "c", false, 0, micro_batch, end);
            BOOST_TEST(asked == last);
            BOOST_TEST(whole.second.starts_with(ended.second), "ended after " << last);
            const auto resumed = by_lbfgs(data, folder / "c", true, 0, micro_batch);
            BOOST_TEST((resumed.first == whole.first), "ended after " << last);
            BOOST_TEST(resumed.second == whole.second);
        }
    }
}

BOOST_AUTO_TEST_CASE(lbfgs_reads_a_stream_anew_for_each_evaluation) {
    const auto data = numbers<double>();
    const auto train = [&](nn::BatchSource<double>& source) {
        std::mt19937_64 engine(3);
        nn::Mlp<double> model({2, 6, 2}, nn::ActivationKind::tanh, engine);
        nn::Lbfgs<double> optimizer(model.parameters());
        nn::FitOptions<double> options{.epochs = 3, .batch = 64, .micro_batch = 10, .optimizer = &optimizer};
        options.progress = nullptr;
        nn::fit(model, source, options);
        return std::pair(bits(model.parameters()), optimizer.evaluations());
    };
    nn::DatasetBatches<double> whole(data);
    std::uint64_t passes = 0;
    nn::StreamedBatches<double> stream(
        whole.facts(), "",
        [&]() -> nn::ReadRows<double> {
            ++passes;
            nn::DatasetBatches<double> blocks(data);
            blocks.begin(9, nullptr);
            return [blocks](nn::Batch<double>& block) mutable { return blocks.next(block); };
        },
        5);
    const auto streamed = train(stream);
    BOOST_TEST((streamed == train(whole)));
    BOOST_TEST(passes == streamed.second);
}

BOOST_AUTO_TEST_CASE(what_lbfgs_refuses) {
    const auto data = classes<double>();
    const auto refused = [&](auto&& model, nn::FitOptions<double> options, const std::string& part) {
        nn::Lbfgs<double> optimizer(model.parameters());
        options.optimizer = &optimizer;
        options.progress = nullptr;
        check_message([&] { nn::fit(model, data, options); }, part);
    };
    std::mt19937_64 engine(3);
    nn::Mlp<double> plain({2, 6, 3}, nn::ActivationKind::tanh, engine);
    refused(plain, {}, "[fit] lbfgs takes all 90 rows at once, and a batch has 32");
    refused(plain, {.batch = 90, .clip_norm = 1}, "[fit] clipped gradients are not those of the loss");
    refused(plain, {.batch = 90, .clip_value = 1}, "[fit] clipped gradients are not those of the loss");
    refused(nn::Sequential<double>(nn::Dense<double>(2, 6, engine), nn::Dropout<double>(0.2, engine),
                                   nn::Dense<double>(6, 3, engine)),
            {.batch = 90},
            "[fit] a layer draws random numbers, as dropout does, and lbfgs needs a loss that is the same");
    refused(nn::Sequential<double>(nn::Dense<double>(2, 6, engine), nn::BatchNorm<double>(6),
                                   nn::Dense<double>(6, 3, engine)),
            {.batch = 90}, "[fit] a layer changes its buffers, as batch norm does, and lbfgs evaluates the loss where");
    nn::FitOptions<double> infinite{.batch = 90};
    infinite.loss = [](const autograd::Variable<double>& output, const nn::Batch<double>&) {
        return sum(output * output) * std::numeric_limits<double>::infinity();
    };
    refused(plain, infinite, "[fit] the loss overflows before the first step");
    auto bad = data;
    bad.features(7, 1) = std::numeric_limits<double>::quiet_NaN();
    nn::Lbfgs<double> optimizer(plain.parameters());
    for (const std::size_t micro_batch : {0, 8})
        check_message(
            [&] {
                nn::fit(plain, bad,
                        {.batch = 90, .micro_batch = micro_batch, .optimizer = &optimizer, .progress = nullptr});
            },
            "its rows hold a number that is not");
}

namespace {

/// A checkpoint of two epochs, and what tries to go on from it.
struct Attempt {
    nn::Dataset<double> data = classes<double>();
    std::size_t width = 12, epochs = 3, batch = 8, micro_batch = 0;
    bool is_sgd = false;
    std::map<std::string, std::string> settings = {{"--hidden", "12"}};
    double validation_share = 0;

    std::string operator()(const std::string& path, bool resume = true) const {
        auto model = network<double>(3, width);
        const std::string before = bits(model.parameters());
        nn::Adam<double> adam(model.parameters());
        nn::Sgd<double> sgd(model.parameters());
        nn::FitOptions<double> options{.epochs = epochs, .batch = batch, .micro_batch = micro_batch};
        if (is_sgd)
            options.optimizer = &sgd;
        else
            options.optimizer = &adam;
        options.settings = settings;
        options.validation_share = validation_share;
        options.progress = nullptr;
        options.checkpoint = path;
        options.resume = resume;
        const std::string file = bytes_of(path);
        try {
            nn::fit(model, data, options);
        } catch (const std::exception& error) {
            BOOST_TEST((bits(model.parameters()) == before), "the network has changed");
            BOOST_TEST((bytes_of(path) == file), "the file has changed");
            return error.what();
        }
        return "";
    }
};

}  // namespace

BOOST_AUTO_TEST_CASE(what_is_not_its_own_is_refused_in_a_sentence) {
    const Folder folder;
    const std::string path = folder / "checkpoint";
    BOOST_TEST((Attempt{.epochs = 2}(path, false) == ""));
    const auto has = [](const std::string& text, const std::string& part) {
        BOOST_TEST_MESSAGE(text);
        return text.find(part) != std::string::npos;
    };
    BOOST_TEST((has(Attempt{.width = 13}(path), "it is of another network: '0.weight' has shape (12, 2)")));
    BOOST_TEST((has(Attempt{.is_sgd = true}(path), "its optimizer is adam, not sgd")));
    BOOST_TEST((has(Attempt{.batch = 9}(path), "made with batch: 8, not 9")));
    BOOST_TEST((has(Attempt{.micro_batch = 4}(path), "made with micro_batch: none, not 4")));
    BOOST_TEST((has(Attempt{.epochs = 1}(path), "has made 2 epochs already, and 1 are asked for")));
    BOOST_TEST((has(Attempt{.settings = {{"--hidden", "13"}}}(path), "made with --hidden 12, not 13")));
    BOOST_TEST((has(Attempt{.settings = {}}(path), "made with --hidden 12, not none")));
    BOOST_TEST((has(Attempt{.validation_share = 0.1}(path),
                    "made with training data: 90 rows of 2 columns, 3 classes, not 81")));
    BOOST_TEST(has(Attempt{.data = classes<double>(89)}(path),
                   "made with training data: 90 rows of 2 columns, 3 classes, not 89"));
    Attempt other;
    other.data.features(3, 1) += 1e-9;
    BOOST_TEST(has(other(path), "the training was of other data"));
    other = {};
    other.data.column_names[1] = "z";
    BOOST_TEST(has(other(path), "the training was of other data"));
    BOOST_TEST(has(Attempt()(folder / "nothing"), "cannot be opened"));
    auto model = network<float>(3);
    nn::Adam<float> adam(model.parameters());
    check_message([&] { nn::load_checkpoint(path, model.parameters(), adam); }, "its numbers are double");
    nn::save(folder / "network", model.parameters());
    BOOST_TEST(has(Attempt()(folder / "network"), "this is no checkpoint of a training"));
    BOOST_TEST(Attempt()(path) == "");
    // The network alone can be read from it, too.
    auto loaded = network<double>(3);
    BOOST_CHECK_NO_THROW(nn::load(path, loaded.parameters()));
}

BOOST_AUTO_TEST_CASE(a_damaged_checkpoint_is_refused_in_a_sentence) {
    const Folder folder;
    const std::string path = folder / "checkpoint";
    BOOST_TEST((Attempt{.width = 2, .epochs = 2}(path, false) == ""));
    const std::string whole = bytes_of(path);
    std::size_t refused = 0, tried = 0;
    const auto attempt = [&](const std::string& bytes) {
        ++tried;
        const std::string said = Attempt{.width = 2}(folder.write("damaged", bytes));
        refused += said.find("damaged: ") != std::string::npos;
    };
    for (std::size_t n = 0; n < whole.size(); n += 1 + n / 97) attempt(whole.substr(0, n));
    // At every byte, without a training.
    auto model = network<double>(3, 2);
    nn::Adam<double> optimizer(model.parameters());
    const std::string before = bits(model.parameters());
    for (std::size_t n = 0; n < whole.size(); ++n)
        BOOST_CHECK_THROW(
            nn::load_checkpoint(fuzz::MemoryFile(whole.substr(0, n)).path(), model.parameters(), optimizer), FileError);
    BOOST_TEST((bits(model.parameters()) == before && optimizer.steps() == 0));
    std::mt19937_64 engine(1);
    for (int i = 0; i < 400; ++i) {
        std::string bytes = whole;
        bytes[engine() % bytes.size()] ^= static_cast<char>(1 << engine() % 8);
        attempt(bytes);
    }
    BOOST_TEST(refused == tried);
}

BOOST_AUTO_TEST_CASE(a_checkpoint_may_wait_for_the_end) {
    const Folder folder;
    const auto data = classes<float>();
    auto model = network<float>(3);
    const std::string path = folder / "checkpoint";
    std::set<std::string> seen;
    nn::fit(model, data,
            {.epochs = 8000,
             .checkpoint = path,
             .checkpoint_seconds = std::numeric_limits<double>::infinity(),
             .progress = nullptr,
             .on_epoch = [&](const nn::Epoch&) { return seen.insert(bytes_of(path)), true; }});
    BOOST_TEST(seen.size() == 1u);
    BOOST_TEST(!seen.contains(bytes_of(path)));
}

BOOST_AUTO_TEST_CASE(options_that_contradict_each_other) {
    const Folder folder;
    const auto data = classes<float>();
    auto model = network<float>(3);
    const auto refused = [&](const std::string& part, nn::FitOptions<float> options) {
        options.progress = nullptr;
        check_message([&] { nn::fit(model, data, options); }, part);
    };
    refused("[fit] there are no epochs", {.epochs = 0});
    refused("[fit] a batch has no rows", {.batch = 0});
    refused("[fit] a micro-batch of 33 rows is larger than a batch of 32", {.micro_batch = 33});
    refused("[fit] clip_norm must be 0 or more", {.clip_norm = -1});
    refused("[fit] clip_value must be 0 or more", {.clip_value = -1});
    refused("[fit] average, a decay, must be at least 0 and below 1, not 1", {.average = 1});
    refused("would both set the rate", {.schedule = nn::cosine(3), .plateau = nn::PlateauOptions()});
    refused("patience needs rows for validation", {.patience = 3});
    refused("no checkpoint to go on from", {.resume = true});
    refused("leaves one side empty", {.validation_share = 1});
    refused("there is no folder", {.checkpoint = folder / "no/folder"});
    refused("cannot have a name with .npz", {.checkpoint = folder / "c.npz"});
    refused("are one file", {.checkpoint = folder / "one", .history = folder / "one"});
    refused("are one file", {.checkpoint = folder / "one", .history = folder / "./one"});
    const auto other = numbers<float>();
    refused("the rows for validation have other columns", {.validation = &other});
    auto turned = data;
    turned.class_names = {"b", "a", "c"};
    refused("the rows for validation have other classes", {.validation = &turned});
    check_message([&] { nn::fit(model, nn::rows_of(data, {}), {.progress = nullptr}); }, "[fit] there are no rows");
}
