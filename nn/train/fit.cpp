#include <fmt/format.h>

#include <algorithm>
#include <autograd/edit_gradients.hpp>
#include <autograd/error.hpp>
#include <chrono>
#include <cmath>
#include <limits>
#include <memory>
#include <nn/average.hpp>
#include <nn/files/output.hpp>
#include <nn/files/text.hpp>
#include <nn/fit.hpp>
#include <nn/gradient_tools.hpp>
#include <nn/train/batch_loss.hpp>
#include <nn/train/checkpoint_checksum.hpp>
#include <nn/train/epochs.hpp>
#include <nn/train/progress.hpp>
#include <stdexcept>
#include <string_view>
#include <utility>

namespace nn {

using autograd::Array;
using autograd::FileError;
using autograd::Parameter;
using autograd::Shape;
using autograd::Variable;
using files::printable;
using train::Sums;

namespace {

constexpr double infinity = std::numeric_limits<double>::infinity();

constexpr const char* history_name = "fit.history";  // in a checkpoint

void require(bool good, std::string_view sentence) {
    if (!good) throw std::invalid_argument(fmt::format("[fit] {}", sentence));
}

/// What rows are, in words.
std::string described(const RowFacts& facts) {
    return fmt::format(
        "{} rows of {} columns, {}", facts.rows, facts.columns,
        facts.is_regression() ? fmt::format("{} targets", facts.targets) : fmt::format("{} classes", facts.classes));
}

/// While it lives, the averages stand in the parameters' places, where there are any.
template <class T>
class Averaged {
  public:
    explicit Averaged(std::optional<ParameterAverage<T>>& average) : average_(average) {
        if (average_) average_->swap();
    }
    Averaged(const Averaged&) = delete;
    ~Averaged() {
        if (average_) average_->swap();
    }

  private:
    std::optional<ParameterAverage<T>>& average_;
};

/// A callback ends the training within a step.
struct Ended {};

template <class T>
class Trainer {
  public:
    using Net = std::function<Variable<T>(const Variable<T>&)>;

    Trainer(const Net& net, const std::vector<Parameter<T>>& parameters, BatchSource<T>& data,
            BatchSource<T>* validation, const FitOptions<T>& options, std::mt19937_64 engine)
        : parameters_(parameters),
          data_(data),
          facts_(data.facts()),
          validation_(validation),
          options_(options),
          all_(options.communicator != nullptr ? *options.communicator : alone_),
          own_(options.optimizer == nullptr ? std::make_unique<Adam<T>>(parameters) : nullptr),
          optimizer_(own_ ? *own_ : *options.optimizer),
          rereads_(optimizer_.asks_again() && options.micro_batch > 0 && all_.size() == 1),
          loss_(net, parameters, optimizer_, options, facts_, place_.engine, [this] { return ends_between(); }) {
        place_.engine = place_.engine_of_epoch = engine;
        if (options.schedule) scheduler_.emplace(optimizer_, options.schedule);
        if (options.plateau) plateau_.emplace(optimizer_, *options.plateau);
        saved_ = parameters;
        if (validation != nullptr)
            for (const Parameter<T>& parameter : parameters) {
                best_.push_back(parameter.clone());
                saved_.push_back(best_.back().named("best." + parameter.name()));
            }
        if (options.average > 0) {
            average_.emplace(parameters, options.average);
            for (const Parameter<T>& average : average_->averages())
                saved_.push_back(average.named("average." + average.name()));
        }
        place_.texts = made_of();
        if (options.resume) resume();
        if (all_.size() > 1) require_alike();
    }

    History run() {
        const double rows = static_cast<double>(facts_.rows), epochs = static_cast<double>(options_.epochs);
        const double done = (static_cast<double>(place_.epoch) * rows + static_cast<double>(place_.position)) / rows;
        train::Progress progress(is_first() ? options_.progress : nullptr, options_.epochs, done / epochs,
                                 [this](const Measured& measured) {
                                     return options_.describe ? options_.describe(measured) : described(measured);
                                 });
        write(true);
        while (place_.epoch < options_.epochs && !history_.stopped && !is_over()) {
            if (!pass(progress)) break;
            finish_epoch(progress);
        }
        progress.finish();
        history_.is_early = !history_.stopped && place_.epoch < options_.epochs;
        write(true);
        history_.best = place_.epoch;
        if (average_ && steps_ > 0) average_->swap();
        if (validation_ != nullptr && best_loss_ < infinity && !history_.stopped) take_best();
        return std::move(history_);
    }

  private:
    /// What must be the same when a training is resumed.
    std::map<std::string, std::string> made_of() const {
        std::map<std::string, std::string> made;
        for (const auto& [name, text] : options_.settings) made["setting." + name] = text;
        const auto add = [&](const std::string& name, const BatchSource<T>& data) {
            made[name] = nn::described(data.facts());
            made[name + ", checksum"] = data.checksum();
        };
        add("training data", data_);
        if (validation_ != nullptr) add("validation data", *validation_);
        made["batch"] = std::to_string(options_.batch);
        if (options_.micro_batch > 0) made["micro_batch"] = std::to_string(options_.micro_batch);
        made["clip_norm"] = fmt::format("{}", options_.clip_norm);
        if (options_.clip_value > 0) made["clip_value"] = fmt::format("{}", options_.clip_value);
        if (options_.average > 0) made["average"] = fmt::format("{}", options_.average);
        made["patience"] = std::to_string(options_.patience);
        made["schedule"] = options_.schedule ? "one" : "none";
        made["plateau"] = options_.plateau ? "one" : "none";
        return made;
    }

    void compare(const std::map<std::string, std::string>& there) const {
        const auto text = [](const std::map<std::string, std::string>& texts, const std::string& name) {
            const auto found = texts.find(name);
            return found == texts.end() ? "none" : printable(found->second);
        };
        std::map<std::string, std::string> all = place_.texts;
        all.insert(there.begin(), there.end());
        for (const auto& [name, any] : all) {
            const std::string then = text(there, name), now = text(place_.texts, name);
            if (then == now) continue;
            if (name.ends_with("checksum"))
                fail("the training was of other data: its numbers, or the names of its columns, are not these");
            fail(fmt::format("the training was made with {} {}, not {}",
                             printable(name.starts_with("setting.") ? name.substr(8) : name + ":"), then, now));
        }
    }

    [[noreturn]] void fail(const std::string& what) const {
        throw FileError(fmt::format("{}: {}", printable(options_.checkpoint), what));
    }

    void resume() {
        const TrainingPlace there = read_training_place(options_.checkpoint);
        compare(there.texts);
        if (there.epoch > options_.epochs)
            fail(fmt::format("the training has made {} epochs already, and {} are asked for", there.epoch,
                             options_.epochs));
        if (there.position >= facts_.rows || (there.position > 0 && there.position % options_.batch != 0))
            fail("the metadata do not describe a training");
        const auto number = [&](const std::string& name) {
            const auto found = there.numbers.find(name);
            if (found == there.numbers.end()) fail("the metadata do not describe a training");
            return found->second;
        };
        const Sums sums{number("loss"), number("metric"), number("rows"), number("weight")};
        const double best_loss = number("best loss"), best_epoch = number("best epoch"), steps = number("steps");
        if (plateau_) {
            std::map<std::string, double> state;
            for (const char* name : {"best", "bad", "cooling"}) state[name] = number(fmt::format("plateau {}", name));
            plateau_->set_state(state);
        }
        std::vector<Parameter<T>> all = saved_;
        all.emplace_back(history_name, Array<T>(Shape{there.epoch, train::epoch_columns}, T(0)));
        const auto texts = place_.texts;
        place_ = load_checkpoint(options_.checkpoint, all, optimizer_);
        place_.texts = texts;
        history_.epochs = train::epochs_of(all.back().value(), facts_.rows, validation_ != nullptr);
        sums_ = sums;
        best_loss_ = best_loss;
        best_epoch_ = static_cast<std::size_t>(best_epoch);
        steps_ = static_cast<std::uint64_t>(steps);
        if (average_ && steps_ > 0) average_->go_on();
    }

    bool is_first() const { return all_.rank() == 0; }

    /// Throws where the training of a process is not the first one's.
    void require_alike() {
        TrainingPlace place = place_now(false);
        place.numbers["epochs"] = static_cast<double>(options_.epochs);
        std::vector<double> sums(all_.size(), 0);
        sums[all_.rank()] = train::checkpoint_checksum(place, saved_, optimizer_);
        all_.sum(std::span(sums));
        for (std::size_t i = 0; i < sums.size(); ++i)
            require(sums[i] == sums[0],
                    fmt::format("process {} of {} has other data, options or parameters than the first", i + 1,
                                sums.size()));
    }

    /// Whether one of the processes says so.
    bool any(bool mine) {
        double count = mine;
        all_.sum(std::span(&count, 1));
        return count > 0;
    }

    /// Reads this process's part of the next batch, which has so many rows, and returns the share of it. Who has none
    /// reads a row that counts nothing: its gradients are there for the sum.
    double next(BatchSource<T>& source, Batch<T>& batch, std::size_t rows) {
        if (all_.size() == 1) {
            source.next(batch);
            return 1;
        }
        const std::size_t begin = rows * all_.rank() / all_.size(), end = rows * (all_.rank() + 1) / all_.size();
        source.next_rows(batch, begin < end ? begin : 0, begin < end ? end : 1);
        return static_cast<double>(end - begin) / static_cast<double>(rows);
    }

    /// The rest of an epoch; false where it was ended.
    bool pass(train::Progress& progress) {
        std::mt19937_64 engine = place_.engine_of_epoch;
        if (!rereads_) data_.begin(options_.batch, optimizer_.asks_again() ? nullptr : &engine);
        if (place_.position == 0) place_.engine = engine;
        for (std::size_t done = 0; done < place_.position; done += options_.batch) data_.next(batch_);
        while (place_.position < facts_.rows) {
            if (!step()) return false;
            const Epoch epoch = current();
            if (place_.position < facts_.rows) progress.show(epoch, false);
            if (options_.on_step && !options_.on_step(epoch)) ends_ = true;
            if (place_.position >= facts_.rows) break;
            if (ends_ && all_.size() == 1) return end();
            write(false);
        }
        return true;
    }

    /// What a step changes.
    struct Before {
        std::vector<Array<T>> values;
        OptimizerState<T> state;
    };

    Before before_step() const {
        Before before{{}, optimizer_.state()};
        for (const Parameter<T>& parameter : optimizer_.parameters()) before.values.push_back(parameter.value());
        return before;
    }

    void go_back(const Before& before) {
        optimizer_.set_state(before.state);
        for (std::size_t i = 0; i < before.values.size(); ++i)
            Parameter<T>(optimizer_.parameters()[i]).edit([&](Array<T>& value) { value = before.values[i]; });
    }

    bool end() {
        history_.stopped = true;
        return false;
    }

    /// Whether a callback ends the training between two evaluations.
    bool ends_between() {
        if (!optimizer_.asks_again() || !options_.on_evaluation) return false;
        if (!options_.on_evaluation()) ends_ = true;
        return ends_;
    }

    /// One step; false, and none is made, where a callback ends the training, be it another process's.
    bool step() {
        if (scheduler_) scheduler_->set(steps_);
        const double share =
            rereads_ ? 1 : next(data_, batch_, std::min(options_.batch, facts_.rows - place_.position));
        Sums sums;
        LossAndGradients<T> here = evaluate(sums);
        if (!sum_up(here, share, sums)) return end();
        if (!std::isfinite(here.loss)) {
            if (loss_.has_bad_rows())
                throw std::runtime_error(fmt::format(
                    "[fit] the loss is not finite in epoch {}: its rows hold a number that is not", place_.epoch + 1));
            if (steps_ == 0)
                throw std::runtime_error(
                    "[fit] the loss overflows before the first step: numbers in the rows, or the parameters, are too "
                    "large");
            throw std::runtime_error(fmt::format(
                "[fit] the loss overflows in epoch {}: {}a rate below {}", place_.epoch + 1,
                optimizer_.decays_too_much() ? "the weight decay makes parameters grow, try a smaller one, or "
                                             : "try ",
                optimizer_.rate()));
        }
        if (options_.clip_value > 0) clip_gradient_value(here.gradients, optimizer_.parameters(), options_.clip_value);
        if (options_.clip_norm > 0) clip_gradient_norm(here.gradients, optimizer_.parameters(), options_.clip_norm);
        // Elsewhere a loss may be infinite: a line search goes back from there.
        bool is_begin = true;
        const auto evaluated = [&]() -> LossAndGradients<T> {
            if (std::exchange(is_begin, false)) return std::move(here);
            Sums there_sums;
            LossAndGradients<T> there = evaluate(there_sums);
            if (!sum_up(there, share, there_sums)) throw Ended();
            return there;
        };
        const std::optional<Before> before = optimizer_.asks_again() && (options_.on_evaluation || all_.size() > 1)
                                                 ? before_step()
                                                 : std::optional<Before>();
        try {
            optimizer_.step(Evaluate<T>(std::ref(evaluated)));
        } catch (const Ended&) {
            go_back(*before);
            return end();
        }
        sums_ += sums;
        if (average_) average_->update();
        ++steps_;
        place_.position += static_cast<std::uint64_t>(sums.rows);
        return true;
    }

    LossAndGradients<T> evaluate(Sums& sums) { return rereads_ ? loss_(data_, sums) : loss_(batch_, sums); }

    /// Gives the gradients, the loss and the sums of the whole batch for those of its share, in one message; false
    /// where a process ends the training instead.
    bool sum_up(LossAndGradients<T>& here, double share, Sums& sums) {
        if (all_.size() == 1) return !ends_;
        auto& [loss, gradients] = here;
        const double rows = static_cast<double>(std::min(options_.batch, facts_.rows - place_.position));
        std::size_t count = 0;
        for (const Parameter<T>& parameter : optimizer_.parameters()) count += gradients[parameter].size();
        numbers_.resize(count + 3);
        T* to = numbers_.data();
        for (const Parameter<T>& parameter : optimizer_.parameters()) {
            const Array<T>& gradient = gradients[parameter];
            to = std::transform(gradient.data(), gradient.data() + gradient.size(), to,
                                [by = static_cast<T>(share)](T number) { return by * number; });
        }
        to[0] = static_cast<T>(share * loss);
        to[1] = share > 0 ? static_cast<T>(sums.metric) : T(0);
        to[2] = ends_ ? T(1) : T(0);
        all_.sum(std::span(numbers_));
        const T* from = numbers_.data();
        for (const Parameter<T>& parameter : optimizer_.parameters()) {
            Array<T>& gradient = autograd::own_gradient(gradients, parameter);
            std::copy_n(from, gradient.size(), gradient.data());
            from += gradient.size();
        }
        loss = static_cast<double>(from[0]);
        sums = {loss * rows, static_cast<double>(from[1]), rows, rows};
        return !(from[2] > 0);
    }

    Measured validate() {
        constexpr std::size_t block = 1024;
        const std::size_t rows = validation_->facts().rows;
        Sums sums;
        Batch<T> batch;
        validation_->begin(block, nullptr);
        for (std::size_t done = 0; done < rows; done += block) {
            if (next(*validation_, batch, std::min(block, rows - done)) == 0) continue;
            sums += loss_.evaluated(batch);
        }
        double all[] = {sums.loss, sums.metric, sums.rows, sums.weight};
        all_.sum(std::span(all));
        require(all[3] > 0, "the rows of the validation weigh nothing together");
        return Sums{all[0], all[1], all[2], all[3]}.mean(facts_.is_regression());
    }

    Epoch current() const {
        return {static_cast<std::size_t>(place_.epoch) + 1,
                static_cast<std::size_t>(place_.position),
                facts_.rows,
                sums_.mean(facts_.is_regression()),
                {},
                optimizer_.rate()};
    }

    void finish_epoch(train::Progress& progress) {
        Epoch epoch = current();
        if (validation_ != nullptr) {
            const Averaged averaged(average_);
            epoch.validation = validate();
            if (best_loss_ == infinity && !std::isfinite(epoch.validation->loss))
                throw std::runtime_error(
                    fmt::format("[fit] the loss of the validation is not finite in epoch {}, so that no epoch is the "
                                "best: its rows are too far from those for training, or the rate is too high",
                                epoch.number));
            if (epoch.validation->loss < best_loss_) {
                best_loss_ = epoch.validation->loss;
                best_epoch_ = epoch.number;
                for (std::size_t i = 0; i < best_.size(); ++i)
                    best_[i].edit([&](Array<T>& best) { best = parameters_[i].value(); });
            }
        }
        if (plateau_) plateau_->step(epoch.validation ? epoch.validation->loss : epoch.training.loss);
        history_.epochs.push_back(epoch);
        ++place_.epoch;
        place_.position = 0;
        place_.engine_of_epoch = place_.engine;
        sums_ = {};
        progress.show(epoch, true);
        if (options_.on_epoch && !options_.on_epoch(epoch)) ends_ = true;
        history_.stopped = any(ends_);
        write(false);
    }

    /// Whether the validation has had its patience.
    bool is_over() const {
        return validation_ != nullptr && options_.patience > 0 && place_.epoch >= best_epoch_ + options_.patience &&
               place_.epoch > 0;
    }

    bool is_finished() const { return !history_.stopped && (place_.epoch >= options_.epochs || is_over()); }

    void take_best() {
        for (std::size_t i = 0; i < best_.size(); ++i)
            Parameter<T>(parameters_[i]).edit([&](Array<T>& value) { value = best_[i].value(); });
        history_.best = best_epoch_;
    }

    std::string described(const Measured& measured) const {
        return facts_.is_regression() ? fmt::format("rmse {:.6g}", measured.metric)
                                      : fmt::format("accuracy {:.2f} %", 100 * measured.metric);
    }

    TrainingPlace place_now(bool finished) const {
        TrainingPlace place = place_;
        place.numbers = {{"loss", sums_.loss},
                         {"metric", sums_.metric},
                         {"rows", sums_.rows},
                         {"weight", sums_.weight},
                         {"best loss", best_loss_},
                         {"best epoch", static_cast<double>(best_epoch_)},
                         {"steps", static_cast<double>(steps_)},
                         {"finished", finished ? 1.0 : 0.0}};
        if (plateau_)
            for (const auto& [name, number] : plateau_->state()) place.numbers["plateau " + name] = number;
        return place;
    }

    /// Writes checkpoint and history, if it is time.
    void write(bool now) {
        if (!is_first() || (options_.checkpoint.empty() && options_.history.empty())) return;
        const auto start = Clock::now();
        if (!now && start < due_) return;
        if (!options_.checkpoint.empty()) {
            std::vector<Parameter<T>> all = saved_;
            all.emplace_back(history_name, train::array_of<T>(history_.epochs));
            save_checkpoint(options_.checkpoint, place_now(now && is_finished()), all, optimizer_);
        }
        if (!options_.history.empty()) files::write(options_.history, history_text());
        const auto taken = Clock::now() - start;
        // At most some years, which a clock can count.
        const std::chrono::duration<double> pause(std::min(options_.checkpoint_seconds, 1e8));
        due_ = Clock::now() + std::max(std::chrono::duration_cast<Clock::duration>(pause),
                                       options_.checkpoint_seconds > 0 ? 19 * taken : Clock::duration());
    }

    std::string history_text() const {
        const std::string metric = !options_.metric_name.empty() ? options_.metric_name
                                   : facts_.is_regression()      ? "rmse"
                                                                 : "accuracy";
        return train::csv_of<T>(history_.epochs, metric, options_.metric_unit, validation_ != nullptr);
    }

    using Clock = std::chrono::steady_clock;
    const std::vector<Parameter<T>>& parameters_;
    BatchSource<T>& data_;
    const RowFacts facts_;
    BatchSource<T>* validation_;
    const FitOptions<T>& options_;
    Communicator alone_;
    Communicator& all_;
    std::unique_ptr<Optimizer<T>> own_;
    Optimizer<T>& optimizer_;
    const bool rereads_;  // the rows come anew for each evaluation, so that a micro-batch of them is in memory
    std::optional<Scheduler<T>> scheduler_;
    std::optional<Plateau<T>> plateau_;
    std::optional<ParameterAverage<T>> average_;
    std::vector<Parameter<T>> best_, saved_;  // the best epoch's; all that a checkpoint holds
    TrainingPlace place_;
    train::BatchLoss<T> loss_;
    Batch<T> batch_;          // the rows of a step
    std::vector<T> numbers_;  // that are summed over the processes
    Sums sums_;               // of the epoch so far
    bool ends_ = false;       // as a callback asks for
    std::uint64_t steps_ = 0;
    double best_loss_ = infinity;
    std::size_t best_epoch_ = 0;
    History history_;
    Clock::time_point due_ = {};
};

/// Throws where options contradict each other.
template <class T>
void require_options(const FitOptions<T>& options, const RowFacts& facts) {
    require(options.epochs > 0, "there are no epochs");
    require(facts.rows > 0, "there are no rows");
    require(options.batch > 0, "a batch has no rows");
    require(options.micro_batch <= options.batch,
            fmt::format("a micro-batch of {} rows is larger than a batch of {}", options.micro_batch, options.batch));
    for (const auto& [most, name] : {std::pair{options.clip_norm, "clip_norm"}, {options.clip_value, "clip_value"}})
        require(most >= 0 && std::isfinite(most), fmt::format("{} must be 0 or more, not {}", name, most));
    require(options.average >= 0 && options.average < 1,
            fmt::format("average, a decay, must be at least 0 and below 1, not {}", options.average));
    require(options.checkpoint_seconds >= 0, "a checkpoint is written every 0 seconds or more");
    require(!options.schedule || !options.plateau, "a schedule and a plateau would both set the rate");
    const int validations = (options.validation != nullptr) + (options.validation_source != nullptr);
    require(validations == 0 || options.validation_share == 0,
            "rows for validation are given, and a share of the data, too");
    require(validations < 2, "rows for validation are given twice");
    require(!options.weight || options.communicator == nullptr || options.communicator->size() == 1,
            "of several processes, rows of other weights than 1 are not summed up");
    require(options.patience == 0 || validations > 0 || options.validation_share > 0,
            "patience needs rows for validation");
    require(!options.resume || !options.checkpoint.empty(), "there is no checkpoint to go on from");
    if (options.communicator == nullptr || options.communicator->rank() == 0)
        for (const std::string& path : {options.checkpoint, options.history})
            if (!path.empty()) files::require_writable(path);
    require(options.checkpoint.empty() || options.history.empty() ||
                !files::is_same_place(options.checkpoint, options.history),
            "the checkpoint and the history are one file");
}

template <class T>
History trained(const std::function<Variable<T>(const Variable<T>&)>& net, const std::vector<Parameter<T>>& parameters,
                BatchSource<T>& data, BatchSource<T>* validation, const FitOptions<T>& options,
                std::mt19937_64 engine) {
    if (validation != nullptr) {
        const RowFacts there = validation->facts(), facts = data.facts();
        require(there.rows > 0, "there are no rows for validation");
        require(there.columns == facts.columns && there.targets == facts.targets,
                "the rows for validation have other columns than those for training");
        require(there.classes == facts.classes,
                "the rows for validation have other classes than those for training, or in another order");
    }
    if (options.optimizer != nullptr && options.optimizer->asks_again()) {
        const std::string name = options.optimizer->name();
        const std::size_t rows = data.facts().rows;
        require(options.batch >= rows,
                fmt::format("{} takes all {} rows at once, and a batch has {}: micro_batch is for less memory", name,
                            rows, options.batch));
        require(options.clip_norm == 0 && options.clip_value == 0,
                fmt::format("clipped gradients are not those of the loss, which {} goes by", name));
    }
    return Trainer<T>(net, parameters, data, validation, options, engine).run();
}

}  // namespace

template <class T>
History fit(const std::function<Variable<T>(const Variable<T>&)>& net, const std::vector<Parameter<T>>& parameters,
            BatchSource<T>& data, const FitOptions<T>& options) {
    require_options(options, data.facts());
    require(options.validation_share == 0, "no share is taken of batches: rows for validation have to be given");
    std::optional<DatasetBatches<T>> validation;
    if (options.validation != nullptr) validation.emplace(*options.validation);
    return trained(net, parameters, data, validation ? &*validation : options.validation_source, options,
                   options.engine);
}

template <class T>
History fit(const std::function<Variable<T>(const Variable<T>&)>& net, const std::vector<Parameter<T>>& parameters,
            const Dataset<T>& data, const FitOptions<T>& options) {
    DatasetBatches<T> batches(data);
    require_options(options, batches.facts());
    if (options.validation != nullptr)
        require(options.validation->classes() != data.classes() || options.validation->class_names == data.class_names,
                "the rows for validation have other classes than those for training, or in another order");
    if (options.validation_share == 0) return fit(net, parameters, batches, options);
    std::mt19937_64 engine = options.engine;
    const auto [training, held] = split(data, options.validation_share, engine);
    DatasetBatches<T> kept(training), validation(held);
    return trained<T>(net, parameters, kept, &validation, options, engine);
}

#define INSTANTIATE(T)                                                                                            \
    template History fit(const std::function<Variable<T>(const Variable<T>&)>&, const std::vector<Parameter<T>>&, \
                         BatchSource<T>&, const FitOptions<T>&);                                                  \
    template History fit(const std::function<Variable<T>(const Variable<T>&)>&, const std::vector<Parameter<T>>&, \
                         const Dataset<T>&, const FitOptions<T>&);
INSTANTIATE(float)
INSTANTIATE(double)

}  // namespace nn
