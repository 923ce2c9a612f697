#include <algorithm>
#include <string>

#include "support/explorer/report.hpp"

namespace explorer {

namespace {

constexpr int kMargin = 20;
constexpr int kNumber = 34;        // the column of the steps' numbers
constexpr int kRow = 20;           // the height of a line of text
constexpr int kGap = 6;            // between two steps
constexpr int kCharacter = 8;      // the width of one, in the figure's fixed-width font of 13 px
constexpr std::size_t kText = 34;  // characters in a lane
constexpr int kLane = static_cast<int>(kText) * kCharacter + 24;

constexpr const char* kStyle = R"(  <style>
    svg { --paper: #f6f8fa; --ink: #1f2328; --muted: #59636e; --line: #8c959f;
          --blue: #0b5cad; --blue-fill: #dcebfb; --green: #14692d; --green-fill: #dcf3e2;
          --red: #b3261e; --red-fill: #fbe3e1; --amber: #7d5200; --amber-fill: #fbeecb; }
    @media (prefers-color-scheme: dark) {
      svg { --paper: #1b2028; --ink: #e6edf3; --muted: #a3adb8; --line: #77818d;
            --blue: #79b8ff; --blue-fill: #17304d; --green: #6fdd8b; --green-fill: #15391f;
            --red: #ff938a; --red-fill: #4a1d1b; --amber: #f0c14b; --amber-fill: #40310c; } }
    .paper { fill: var(--paper); }
    text { fill: var(--ink); font: 14px system-ui, -apple-system, "Segoe UI", "Noto Sans", sans-serif; }
    .code { font: 13px ui-monospace, "SF Mono", Consolas, "DejaVu Sans Mono", monospace; }
    .small { font-size: 12px; fill: var(--muted); }
    .mid { text-anchor: middle; }
    .end { text-anchor: end; }
    .lane { fill: none; stroke: var(--line); stroke-width: 1.5; stroke-dasharray: 4 4; }
    .plain { fill: var(--blue-fill); stroke: var(--blue); }
    .sleep { fill: var(--green-fill); stroke: var(--green); }
    .fault { fill: var(--amber-fill); stroke: var(--amber); }
    .failed { fill: var(--red-fill); stroke: var(--red); stroke-width: 2; }
  </style>
)";

std::string escaped(std::string_view text) {
  std::string out;
  for (const char c : text) {
    switch (c) {
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      case '&':
        out += "&amp;";
        break;
      case '"':
        out += "&quot;";
        break;
      default:
        out += c;
    }
  }
  return out;
}

const char* style(Tone tone) {
  switch (tone) {
    case Tone::kSleep:
      return "sleep";
    case Tone::kFault:
      return "fault";
    case Tone::kFailed:
      return "failed";
    case Tone::kPlain:
      break;
  }
  return "plain";
}

std::string number(int value) {
  return std::to_string(value);
}

std::string text_at(const std::string& style, int x, int y, std::string_view text) {
  return "  <text class=\"" + style + "\" x=\"" + number(x) + "\" y=\"" + number(y) + "\">" +
         escaped(text) + "</text>\n";
}

}  // namespace

std::string figure(const Script& script, std::string_view title) {
  std::size_t longest = 5;
  for (const Script::Step& step : script.steps()) {
    longest = std::max(longest, step.where.size());
  }
  const int left = kMargin + kNumber + static_cast<int>(longest) * kCharacter + 16;
  const int count = static_cast<int>(script.lanes().size());
  const int width = left + count * kLane + kMargin;
  const auto middle = [&](int lane) { return left + lane * kLane + kLane / 2; };

  std::string steps;
  int y = 56;
  for (const Script::Step& step : script.steps()) {
    if (step.number == 0) {
      steps += text_at("mid small", left + count * kLane / 2, y + 14, "... " + step.text + " ...");
      y += kRow + kGap;
      continue;
    }
    const std::vector<std::string> lines = wrapped(step.text, kText);
    const int height = static_cast<int>(lines.size()) * kRow;
    steps += text_at("end small", kMargin + kNumber - 10, y + 14, number(step.number));
    steps += text_at("code small", kMargin + kNumber, y + 14, step.where);
    steps += "  <rect class=\"" + std::string(style(step.tone)) + "\" x=\"" +
             number(left + step.process * kLane + 6) + "\" y=\"" + number(y) + "\" width=\"" +
             number(kLane - 12) + "\" height=\"" + number(height) + "\" rx=\"4\"/>\n";
    for (std::size_t i = 0; i < lines.size(); ++i) {
      steps +=
          text_at("mid code", middle(step.process), y + 14 + static_cast<int>(i) * kRow, lines[i]);
    }
    y += height + kGap;
  }
  const int height = y + kMargin - kGap;

  std::string svg = "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 " + number(width) +
                    " " + number(height) + "\" width=\"" + number(width) + "\" height=\"" +
                    number(height) + "\" role=\"img\">\n  <title>" + escaped(title) + "</title>\n" +
                    kStyle + "  <rect class=\"paper\" width=\"100%\" height=\"100%\" rx=\"8\"/>\n";
  for (int lane = 0; lane < count; ++lane) {
    svg += text_at("mid", middle(lane), 32, script.lanes()[static_cast<std::size_t>(lane)]);
    svg += "  <path class=\"lane\" d=\"M" + number(middle(lane)) + " 42 V" + number(height - 12) +
           "\"/>\n";
  }
  return svg + steps + "</svg>\n";
}

}  // namespace explorer
