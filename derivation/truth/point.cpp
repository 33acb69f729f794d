#include <derivation/truth/derivatives.hpp>
#include <derivation/truth/point.hpp>
#include <utility>

namespace derivation {

struct Point::Recording {
    Recorder recorder;
    Derivatives derivatives;

    Recording(const Model& model, const Variation& variation, std::vector<std::vector<double>> given,
              std::vector<Curve> curves)
        : recorder(model, variation, std::move(given), std::move(curves)), derivatives(model, recorder) {}
};

Point::Point(const Model& model, const Variation& variation, std::vector<std::vector<double>> given,
             std::vector<Curve> curves)
    : recording_(std::make_unique<Recording>(model, variation, std::move(given), std::move(curves))) {}
Point::~Point() = default;
Point::Point(Point&&) noexcept = default;
Point& Point::operator=(Point&&) noexcept = default;

double Point::value(int quantity, std::size_t place) const { return recording_->recorder.value(quantity, place); }
double Point::scale(int quantity, std::size_t place) const { return recording_->recorder.scale(quantity, place); }
const Curve& Point::curve(int function) const { return recording_->recorder.curve(function); }
Rounded Point::derivative(const Expression& e, const Letters& letters, bool& kinked) {
    return recording_->derivatives.at(e, letters, kinked);
}
std::size_t Point::nodes() const { return recording_->recorder.tape().size(); }
bool Point::is_finite() const { return recording_->recorder.finite; }
bool Point::is_kinked() const { return recording_->recorder.kinked; }
bool Point::cancels() const { return recording_->recorder.cancels; }
bool Point::is_extreme() const { return recording_->recorder.is_extreme; }
const std::set<int>& Point::kinks() const { return recording_->recorder.kinks; }
const std::set<int>& Point::ties() const { return recording_->recorder.ties; }

}  // namespace derivation
