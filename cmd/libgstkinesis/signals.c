/* The host's SIGURG. A Go library installs handlers of its own when it is loaded. For SIGSEGV, SIGBUS, SIGFPE and SIGPIPE Go's handler passes on what
 * is not Go's; for SIGURG, by which the runtime interrupts its own threads, it does not. So what the host had set before is kept here and called
 * for every SIGURG. (Go 1.26, runtime/signal_unix.go, sigInstallGoHandler and sigfwdgo.) */
#define _GNU_SOURCE
#include <signal.h>
#include <stddef.h>

static struct sigaction host, runtime;

/* Runs before the Go runtime starts: it stands in .init_array with a priority, the runtime's entry without. */
__attribute__ ((constructor (101)))
static void
remember_host (void)
{
  sigaction (SIGURG, NULL, &host);
}

static void
on_urgent (int sig, siginfo_t * info, void *context)
{
  runtime.sa_sigaction (sig, info, context);
  /* The runtime's own come by tgkill from this process, and so does the host's raise(): they cannot be told apart, and a handler of SIGURG bears
   * a call too many (which is why the runtime chose this signal). */
  if (host.sa_flags & SA_SIGINFO)
    host.sa_sigaction (sig, info, context);
  else
    host.sa_handler (sig);
}

/* Called once, when the runtime has installed its handlers. */
void
keep_host_signals (void)
{
  struct sigaction both = { 0 };

  if (!(host.sa_flags & SA_SIGINFO) && (host.sa_handler == SIG_DFL || host.sa_handler == SIG_IGN))
    return;                     /* ignored either way */
  if (sigaction (SIGURG, NULL, &runtime) != 0 || !(runtime.sa_flags & SA_SIGINFO) || runtime.sa_sigaction == host.sa_sigaction)
    return;
  both = runtime;
  both.sa_sigaction = on_urgent;
  sigaction (SIGURG, &both, NULL);
}
