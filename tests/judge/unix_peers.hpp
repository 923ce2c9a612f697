#pragma once

#include <sys/types.h>

#include <map>
#include <optional>
#include <string>

namespace mp::judge {

/// What the kernel tells of one Unix socket.
struct UnixSocket {
  /// Inode of the socket at the other end. Empty: connected to nobody. 0: the other end is in no
  /// descriptor, because it was closed or the connection has not been accepted yet.
  std::optional<ino_t> peer;
  std::string name;  ///< the path it is bound to, `@name` for an abstract one, or empty
  bool listening = false;
};

/// All Unix sockets of this network namespace by inode (the number in `socket:[7]`), asked of the
/// kernel in one request (sock_diag(7), unix_diag). Empty where the kernel cannot tell.
std::map<ino_t, UnixSocket> unix_sockets();

}  // namespace mp::judge
