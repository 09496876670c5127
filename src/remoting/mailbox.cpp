#include "remoting/mailbox.hpp"

#include <utility>

#include <boost/asio/post.hpp>

namespace tern::remoting {

bool Mailbox::put(Letter&& letter, std::string_view head) {
  const MutexLock lock(lock_);
  if (closed_) return false;
  mail_.heads.append(head);
  letter.head_size = head.size();
  mail_.letters.push_back(std::move(letter));
  if (!std::exchange(woken_, true)) asio::post(*context_, InSlot(slot_, [this] { wake_(); }));
  return true;
}

void Mailbox::take(Mail& mail) {
  const MutexLock lock(lock_);
  woken_ = false;
  std::swap(mail, mail_);
}

void Mailbox::close(Mail& mail) {
  const MutexLock lock(lock_);
  closed_ = true;
  std::swap(mail, mail_);
}

}  // namespace tern::remoting
