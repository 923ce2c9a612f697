#include "judge/unix_peers.hpp"

#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <linux/sock_diag.h>
#include <linux/unix_diag.h>
#include <sys/socket.h>
#include <sys/time.h>

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <cstring>
#include <string_view>
#include <vector>

#include "judge/owned_fd.hpp"
#include "judge/proc.hpp"

namespace mp::judge {
namespace {

constexpr std::uint8_t kListenState = 10;  // TCP_LISTEN; <netinet/tcp.h> has it, but not for us

/// Copies a T out of a netlink message, whose pieces are aligned to 4 bytes only.
template <typename T>
T copied(const char* from) {
  T value{};
  std::memcpy(&value, from, sizeof value);
  return value;
}

bool ask_for_all(int netlink) {
  struct {
    nlmsghdr header;
    unix_diag_req body;
  } request{};
  request.header.nlmsg_len = sizeof request;
  request.header.nlmsg_type = SOCK_DIAG_BY_FAMILY;
  request.header.nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
  request.body.sdiag_family = AF_UNIX;
  request.body.udiag_states = ~0U;
  request.body.udiag_show = UDIAG_SHOW_NAME | UDIAG_SHOW_PEER;
  ssize_t sent = -1;
  do {
    sent = ::send(netlink, &request, sizeof request, 0);
  } while (sent < 0 && errno == EINTR);
  return sent == static_cast<ssize_t>(sizeof request);
}

/// An abstract name starts with a zero byte, which is shown as @ (unix(7)). The zero bytes behind
/// it, of an address that was bound with its full size, are not shown.
std::string name_text(std::string_view name) {
  if (name.front() != '\0') {
    return printable(name.substr(0, name.find('\0')));
  }
  return "@" + printable(name.substr(1, name.find_last_not_of('\0')));
}

/// One answer of the kernel: a unix_diag_msg and its attributes.
void add_socket(std::string_view message, std::map<ino_t, UnixSocket>& sockets) {
  if (message.size() < sizeof(unix_diag_msg)) {
    return;
  }
  const auto head = copied<unix_diag_msg>(message.data());
  UnixSocket& socket = sockets[head.udiag_ino];
  socket.listening = head.udiag_state == kListenState;
  message.remove_prefix(NLMSG_ALIGN(sizeof head));
  while (message.size() >= sizeof(rtattr)) {
    const auto attribute = copied<rtattr>(message.data());
    if (attribute.rta_len < sizeof(rtattr) || attribute.rta_len > message.size()) {
      return;
    }
    const std::string_view value = message.substr(RTA_LENGTH(0), attribute.rta_len - RTA_LENGTH(0));
    if (attribute.rta_type == UNIX_DIAG_PEER && value.size() >= sizeof(std::uint32_t)) {
      socket.peer = copied<std::uint32_t>(value.data());
    } else if (attribute.rta_type == UNIX_DIAG_NAME && !value.empty()) {
      socket.name = name_text(value);
    }
    message.remove_prefix(std::min<std::size_t>(RTA_ALIGN(attribute.rta_len), message.size()));
  }
}

/// Takes the messages of one datagram. @return false when the dump is complete, or was refused.
bool take_messages(std::string_view datagram, std::map<ino_t, UnixSocket>& sockets) {
  while (datagram.size() >= sizeof(nlmsghdr)) {
    const auto header = copied<nlmsghdr>(datagram.data());
    if (header.nlmsg_len < sizeof(nlmsghdr) || header.nlmsg_len > datagram.size() ||
        header.nlmsg_type == NLMSG_DONE || header.nlmsg_type == NLMSG_ERROR) {
      return false;
    }
    if (header.nlmsg_type == SOCK_DIAG_BY_FAMILY) {
      add_socket(datagram.substr(NLMSG_HDRLEN, header.nlmsg_len - NLMSG_HDRLEN), sockets);
    }
    datagram.remove_prefix(std::min<std::size_t>(NLMSG_ALIGN(header.nlmsg_len), datagram.size()));
  }
  return true;
}

}  // namespace

std::map<ino_t, UnixSocket> unix_sockets() {
  std::map<ino_t, UnixSocket> sockets;
  const OwnedFd netlink(::socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_SOCK_DIAG));
  // The kernel answers at once; the limit is there so that no surprise can hang the judge.
  const timeval limit{1, 0};
  if (!netlink.valid() ||
      ::setsockopt(netlink.get(), SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit) != 0 ||
      !ask_for_all(netlink.get())) {
    return sockets;
  }
  std::vector<char> block(std::size_t{64} * 1024);
  for (;;) {
    const ssize_t got = ::recv(netlink.get(), block.data(), block.size(), 0);
    if (got < 0 && errno == EINTR) {
      continue;
    }
    if (got <= 0 || !take_messages({block.data(), static_cast<std::size_t>(got)}, sockets)) {
      return sockets;
    }
  }
}

}  // namespace mp::judge
