// A training of several processes, which are threads here, against that of one.
#define BOOST_TEST_MODULE communicator
#ifndef BOOST_TEST_DYN_LINK
#define BOOST_TEST_DYN_LINK
#endif
#include <autograd/operations.hpp>
#include <barrier>
#include <boost/test/unit_test.hpp>
#include <cmath>
#include <nn/dense.hpp>
#include <nn/fit.hpp>
#include <nn/layers.hpp>
#include <nn/lbfgs.hpp>
#include <nn/normalization.hpp>
#include <numeric>
#include <random>
#include <thread>
#include <utility>

#include "temporary_folder.hpp"

namespace {

using autograd::Array;
using autograd::Shape;

/// What the processes of a training share, as threads.
struct Group {
    explicit Group(std::size_t size) : numbers(size), barrier(static_cast<std::ptrdiff_t>(size)) {}
    std::vector<std::vector<double>> numbers;
    std::barrier<> barrier;
};

class Member : public nn::Communicator {
  public:
    Member(Group& group, std::size_t rank) : group_(group), rank_(rank) {}
    std::size_t rank() const override { return rank_; }
    std::size_t size() const override { return group_.numbers.size(); }
    void sum(std::span<float> numbers) override { add(numbers); }
    void sum(std::span<double> numbers) override { add(numbers); }
    std::size_t messages = 0;

  private:
    template <class T>
    void add(std::span<T> numbers) {
        ++messages;
        group_.numbers[rank_].assign(numbers.begin(), numbers.end());
        group_.barrier.arrive_and_wait();
        for (std::size_t i = 0; i < numbers.size(); ++i) {
            T sum = 0;
            for (const auto& of_one : group_.numbers) sum += static_cast<T>(of_one.at(i));
            numbers[i] = sum;
        }
        group_.barrier.arrive_and_wait();
    }
    Group& group_;
    std::size_t rank_;
};

/// y = sin(x0) - x1, and 2 x0.
template <class T>
nn::Dataset<T> numbers(std::size_t rows, double frequency = 1.7) {
    nn::Dataset<T> data{Array<T>(Shape{rows, 2}), {}, {}};
    data.target_names = {"y", "z"};
    data.targets = Array<T>(Shape{rows, 2});
    for (std::size_t i = 0; i < rows; ++i) {
        const double a = std::cos(frequency * static_cast<double>(i)), b = std::sin(2.9 * static_cast<double>(i));
        data.features(i, 0) = static_cast<T>(a);
        data.features(i, 1) = static_cast<T>(b);
        data.targets(i, 0) = static_cast<T>(std::sin(a) - b);
        data.targets(i, 1) = static_cast<T>(2 * a);
    }
    return data;
}

/// The same rows in three classes.
template <class T>
nn::Dataset<T> classes(std::size_t rows) {
    nn::Dataset<T> data{numbers<T>(rows).features, autograd::Indices(Shape{rows}), {"a", "b", "c"}};
    for (std::size_t i = 0; i < rows; ++i)
        data.labels(i) = (data.features(i, 0) > 0) + (data.features(i, 1) > data.features(i, 0));
    return data;
}

template <class T>
struct Trained {
    std::vector<Array<T>> parameters;
    nn::History history;
    std::size_t messages = 0;
    std::string error;
};

template <class T>
using MakeOptimizer =
    std::function<std::unique_ptr<nn::Optimizer<T>>(const std::vector<autograd::Parameter<T>>& parameters)>;

template <class T>
std::unique_ptr<nn::Optimizer<T>> momentum(const std::vector<autograd::Parameter<T>>& parameters) {
    return std::make_unique<nn::Sgd<T>>(parameters, nn::SgdOptions{.rate = 0.05, .momentum = 0.5});
}

template <class T>
using Options = std::function<nn::FitOptions<T>(std::size_t rank)>;

/// What each of so many processes ends with; with 0 there is one, without a communicator.
template <class T>
std::vector<Trained<T>> train(std::size_t processes, const nn::Dataset<T>& data, const Options<T>& options,
                              const std::function<nn::Sequential<T>(std::mt19937_64&)>& make, std::uint64_t seeds = 0,
                              const MakeOptimizer<T>& make_optimizer = momentum<T>) {
    std::vector<Trained<T>> trained(std::max<std::size_t>(processes, 1));
    Group group(trained.size());
    const auto run = [&](std::size_t rank) {
        std::mt19937_64 engine(7 + seeds * rank);
        const nn::Sequential<T> model = make(engine);
        const auto optimizer = make_optimizer(model.parameters());
        Member member(group, rank);
        nn::FitOptions<T> mine = options(rank);
        mine.optimizer = optimizer.get();
        mine.progress = nullptr;
        if (processes > 0) mine.communicator = &member;
        try {
            trained[rank].history = nn::fit(model, data, mine);
        } catch (const std::exception& error) {
            trained[rank].error = error.what();
        }
        for (const auto& parameter : model.parameters()) trained[rank].parameters.push_back(parameter.value());
        trained[rank].messages = member.messages;
    };
    std::vector<std::jthread> threads;
    for (std::size_t rank = 0; rank < trained.size(); ++rank) threads.emplace_back(run, rank);
    threads.clear();
    return trained;
}

template <class T>
nn::Sequential<T> network(std::size_t outputs, std::mt19937_64& engine) {
    return nn::Sequential<T>(nn::Dense<T>(2, 12, engine), autograd::tanh<T>, nn::Dense<T>(12, outputs, engine));
}

template <class T>
double distance(const std::vector<Array<T>>& left, const std::vector<Array<T>>& right) {
    double difference = 0, norm = 0;
    for (std::size_t i = 0; i < left.size(); ++i)
        for (std::size_t k = 0; k < left[i].size(); ++k) {
            difference += std::pow(static_cast<double>(left[i].data()[k] - right[i].data()[k]), 2);
            norm += std::pow(static_cast<double>(right[i].data()[k]), 2);
        }
    return std::sqrt(difference / norm);
}

// 45 rows in batches of 8 leave 5 for the last: of 7 processes some have none.
constexpr std::size_t rows = 45, batch = 8, steps_of_epoch = 6, epochs = 17;

template <class T>
void check_as_one(const nn::Dataset<T>& data, std::size_t outputs, double tolerance, std::size_t micro_batch = 0) {
    const auto held = outputs == 2 ? numbers<T>(3) : classes<T>(3);
    const auto options = [&](std::size_t) {
        nn::FitOptions<T> fit{
            .epochs = epochs, .batch = batch, .micro_batch = micro_batch, .clip_norm = 0.5, .validation = &held};
        fit.schedule = nn::cosine(epochs * steps_of_epoch);
        return fit;
    };
    const auto make = [&](std::mt19937_64& engine) { return network<T>(outputs, engine); };
    const Trained<T> one = train<T>(0, data, options, make)[0];
    BOOST_REQUIRE_EQUAL(one.error, "");
    for (const std::size_t processes : {1, 2, 4, 7}) {
        const auto all = train<T>(processes, data, options, make);
        for (const Trained<T>& each : all) {
            BOOST_TEST_CONTEXT(processes << " processes " << each.error) {
                BOOST_TEST(distance(each.parameters, one.parameters) <= (processes == 1 ? 0 : tolerance));
                BOOST_TEST(distance(each.parameters, all[0].parameters) == 0);
                // One for each step, one to begin with, two after each epoch: its end, and the validation.
                if (processes > 1) BOOST_TEST(each.messages == 1 + epochs * (steps_of_epoch + 2));
                BOOST_REQUIRE_EQUAL(each.history.epochs.size(), epochs);
                for (std::size_t i = 0; i < epochs; ++i) {
                    const nn::Epoch &here = each.history.epochs[i], &there = one.history.epochs[i];
                    for (const auto& [x, y] :
                         {std::pair{here.training, there.training}, {*here.validation, *there.validation}}) {
                        BOOST_TEST(std::abs(x.loss - y.loss) <= tolerance * y.loss);
                        BOOST_TEST(std::abs(x.metric - y.metric) <= tolerance * y.metric);
                    }
                }
            }
        }
    }
}

}  // namespace

BOOST_AUTO_TEST_CASE(as_one_process) {
    check_as_one(numbers<double>(rows), 2, 1e-12);
    check_as_one(classes<double>(rows), 3, 1e-12);
    check_as_one(numbers<double>(rows), 2, 1e-12, 3);
    check_as_one(numbers<float>(rows), 2, 2e-5);
    check_as_one(classes<float>(rows), 3, 2e-5);
}

// All processes take the same decisions on the way.
BOOST_AUTO_TEST_CASE(lbfgs_as_one_process) {
    const auto data = numbers<double>(rows);
    for (const std::size_t micro_batch : {0, 4}) {
        const auto options = [&](std::size_t) {
            return nn::FitOptions<double>{.epochs = 3, .batch = rows, .micro_batch = micro_batch};
        };
        const auto make = [](std::mt19937_64& engine) { return network<double>(2, engine); };
        const auto lbfgs = [](const auto& parameters) -> std::unique_ptr<nn::Optimizer<double>> {
            return std::make_unique<nn::Lbfgs<double>>(parameters, nn::LbfgsOptions{.iterations = 3});
        };
        const auto one = train<double>(0, data, options, make, 0, lbfgs)[0];
        BOOST_REQUIRE_EQUAL(one.error, "");
        for (const std::size_t processes : {1, 2, 4, 7}) {
            const auto all = train<double>(processes, data, options, make, 0, lbfgs);
            for (const auto& each : all) {
                BOOST_TEST(each.error == "");
                BOOST_TEST(distance(each.parameters, all[0].parameters) == 0);
                BOOST_TEST(distance(each.parameters, one.parameters) <= (processes == 1 ? 0 : 1e-12));
            }
        }
    }
}

// In the second step, which has gone on from where it began.
BOOST_AUTO_TEST_CASE(one_of_them_ends_a_step_of_lbfgs) {
    const auto data = numbers<double>(rows);
    const auto make = [](std::mt19937_64& engine) { return network<double>(2, engine); };
    const auto lbfgs = [](const auto& parameters) -> std::unique_ptr<nn::Optimizer<double>> {
        return std::make_unique<nn::Lbfgs<double>>(parameters, nn::LbfgsOptions{.iterations = 8});
    };
    std::size_t asked = 0;
    const auto options = [&](std::size_t epochs, std::size_t last) {
        return [&, epochs, last](std::size_t rank) {
            nn::FitOptions<double> fit{.epochs = epochs, .batch = rows};
            if (rank == 1) fit.on_evaluation = [&, last] { return ++asked < last; };
            return fit;
        };
    };
    const auto before = train<double>(3, data, options(1, 100), make, 0, lbfgs)[0];
    const std::size_t last = std::exchange(asked, 0) + 7;
    for (const auto& each : train<double>(3, data, options(3, last), make, 0, lbfgs)) {
        BOOST_TEST(each.error == "");
        BOOST_TEST(each.history.stopped);
        BOOST_TEST(each.history.epochs.size() == 1u);
        BOOST_TEST(distance(each.parameters, before.parameters) == 0);
    }
    BOOST_TEST(asked == last);
}

BOOST_AUTO_TEST_CASE(one_of_them_ends_all) {
    for (const std::size_t last : {3, 6, 8})  // within an epoch, at its end, in the next
        for (const bool at_epoch : {false, true}) {
            const auto options = [&](std::size_t rank) {
                nn::FitOptions<double> fit{.epochs = epochs, .batch = batch};
                if (rank == 1 && at_epoch)
                    fit.on_epoch = [&](const nn::Epoch& epoch) { return epoch.number < last; };
                else if (rank == 1)
                    fit.on_step = [&, step = std::size_t{0}](const nn::Epoch&) mutable { return ++step < last; };
                return fit;
            };
            const auto make = [](std::mt19937_64& engine) { return network<double>(2, engine); };
            const auto all = train<double>(3, numbers<double>(rows), options, make);
            for (const auto& each : all) {
                BOOST_TEST(each.error == "");
                BOOST_TEST(each.history.stopped);
                BOOST_TEST(each.history.epochs.size() == (at_epoch ? last : last / steps_of_epoch));
                BOOST_TEST(distance(each.parameters, all[0].parameters) == 0);
            }
        }
}

BOOST_AUTO_TEST_CASE(resumed_by_others) {
    const Folder folder;
    const nn::Dataset<double> data = numbers<double>(rows);
    const auto make = [](std::mt19937_64& engine) { return network<double>(2, engine); };
    const auto fit = [](std::size_t) {
        return nn::FitOptions<double>{.epochs = epochs, .batch = batch, .validation_share = 0.2};
    };
    const auto whole = train<double>(0, data, fit, make)[0];
    const auto stopped = [&](std::size_t rank) {
        nn::FitOptions<double> options = fit(rank);
        options.checkpoint = folder / "run.safetensors";
        if (rank == 0) options.on_step = [step = 0](const nn::Epoch&) mutable { return ++step < 23; };
        return options;
    };
    const auto resumed = [&](std::size_t rank) {
        nn::FitOptions<double> options = fit(rank);
        options.checkpoint = folder / "run.safetensors";
        options.resume = true;
        return options;
    };
    BOOST_TEST(train<double>(2, data, stopped, make)[0].history.stopped);
    for (const auto& each : train<double>(4, data, resumed, make, 1)) {  // whatever they begin with
        BOOST_TEST(each.error == "");
        BOOST_TEST(distance(each.parameters, whole.parameters) <= 1e-12);
    }
}

BOOST_AUTO_TEST_CASE(rows_that_come_in_a_stream) {
    const nn::Dataset<double> data = numbers<double>(rows);
    nn::DatasetBatches<double> whole(data);
    nn::StreamedBatches<double> stream(
        whole.facts(), "",
        [&]() -> nn::ReadRows<double> {
            nn::DatasetBatches<double> blocks(data);
            blocks.begin(10, nullptr);
            return [blocks](nn::Batch<double>& block) mutable { return blocks.next(block); };
        },
        100);
    std::mt19937_64 engine(1), same(1);
    whole.begin(batch, &engine);
    stream.begin(batch, &same);
    nn::Batch<double> left, right;
    for (std::size_t i = 0; i < steps_of_epoch; ++i) {
        BOOST_TEST((whole.next_rows(left, 1, 3) && stream.next_rows(right, 1, 3)));
        BOOST_TEST((left.x == right.x && left.targets == right.targets && left.x.shape()[0] == 2));
    }
    BOOST_TEST((!whole.next_rows(left, 1, 3) && !stream.next_rows(right, 1, 3)));
}

BOOST_AUTO_TEST_CASE(what_several_processes_refuse) {
    const auto data = numbers<double>(rows), other = numbers<double>(rows, 1.6);
    const auto plain = [](std::mt19937_64& engine) { return network<double>(2, engine); };
    const auto options = [](std::size_t) { return nn::FitOptions<double>{.epochs = 2, .batch = batch}; };
    const auto refused = [&](const Options<double>& with, const auto& make, std::uint64_t seeds,
                             const std::string& part) {
        for (const auto& each : train<double>(3, data, with, make, seeds))
            BOOST_TEST(each.error.find(part) != std::string::npos, "'" << each.error << "', not '" << part << "'");
    };
    const std::string other_training = "[fit] process 2 of 3 has other data, options or parameters than the first";
    refused(options, plain, 1, other_training);
    refused(
        [&](std::size_t rank) {
            return nn::FitOptions<double>{.epochs = 2, .batch = batch, .validation = rank == 1 ? &other : &data};
        },
        plain, 0, other_training);
    refused([](std::size_t rank) { return nn::FitOptions<double>{.epochs = 2 + rank, .batch = batch}; }, plain, 0,
            other_training);
    refused(
        options,
        [](std::mt19937_64& engine) {
            return nn::Sequential<double>(nn::Dense<double>(2, 4, engine), nn::Dropout<double>(0.2, engine),
                                          nn::Dense<double>(4, 2, engine));
        },
        0, "dropout");
    refused(
        options,
        [](std::mt19937_64& engine) {
            return nn::Sequential<double>(nn::Dense<double>(2, 4, engine), nn::BatchNorm<double>(4),
                                          nn::Dense<double>(4, 2, engine));
        },
        0, "batch norm");
}

// A source of one's own, which knows no parts of batches, and whose rows are pictures.
BOOST_AUTO_TEST_CASE(rows_of_any_source_are_taken_whole) {
    struct Pictures : nn::BatchSource<double> {
        nn::RowFacts facts() const override { return {4, 4, 2, 0}; }
        std::string checksum() const override { return ""; }
        void begin(std::size_t, std::mt19937_64*) override { given = false; }
        bool next(nn::Batch<double>& into) override {
            if (std::exchange(given, true)) return false;
            into.x.resize({4, 1, 2, 2});
            std::iota(into.x.begin(), into.x.end(), 0.0);
            into.labels = autograd::Indices{0, 1, 0, 1};
            return true;
        }
        bool given = false;
    } source;
    nn::Batch<double> part;
    BOOST_TEST(source.next_rows(part, 1, 3));
    BOOST_TEST((part.x.shape() == autograd::Shape{2, 1, 2, 2} && part.x.data()[0] == 4 && part.x.data()[7] == 11));
    BOOST_TEST((part.labels == autograd::Indices{1, 0}));
}
