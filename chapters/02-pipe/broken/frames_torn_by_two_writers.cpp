// Wrong: two processes send on one end. Each sends whole messages, and they come out torn.
#include <algorithm>
#include <cstdio>
#include <string>

#include "01-process/process.hpp"
#include "02-pipe/pipe.hpp"

int main() {
  auto [receiver, sender] = mp::Pipe(false);
  mp::Connection& shared = sender;
  const auto send_all = [&shared](char letter) {
    const std::string message(300'000, letter);  // more than the kernel takes at once
    for (int i = 0; i < 20; ++i) {
      shared.send_bytes(mp::bytes_of(message));
    }
  };
  mp::Process a(send_all, 'a');
  mp::Process b(send_all, 'b');
  a.start();
  b.start();
  sender.close();
  try {
    for (;;) {
      const mp::Bytes message = receiver.recv_bytes();
      const std::string_view text = mp::text_of(message);
      const auto differs = [&](char letter) { return letter != text.front(); };
      if (std::any_of(text.begin(), text.end(), differs)) {
        std::printf("a message of %zu bytes holds bytes of both senders\n", text.size());
        break;
      }
    }
  } catch (const mp::BadMessage&) {
    std::printf("what should be a length is none\n");
  } catch (const mp::EOFError&) {
    std::printf("all messages were whole, by luck\n");
  }
  a.kill();
  b.kill();
}
