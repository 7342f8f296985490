/* signals before|after ignore|handle LINE
 * signals never NUMBER LINE
 *
 * Sets the disposition of every signal that a program may want, before or after the plugin is loaded, and shows while records flow that
 * it keeps its effect: an own handler is called for its signal and no other, an ignored signal does nothing, and a write to a pipe that nobody reads
 * fails with EPIPE in either case. With "never" it leaves everything as it is, and dies of the signal of that number, of a write to such a pipe for SIGPIPE. */
#include "host.h"

static const int signals[] = { SIGHUP, SIGINT, SIGPIPE, SIGTERM, SIGUSR1, SIGUSR2, SIGPROF, SIGURG, SIGALRM, SIGVTALRM, SIGCHLD, SIGWINCH,
  SIGIO, SIGXCPU, SIGTSTP, SIGQUIT
};

static volatile sig_atomic_t calls[NSIG];

static void
handler (int sig, siginfo_t *info, void *context)
{
  if (info->si_signo != sig)
    _exit (3);
  __atomic_add_fetch (&calls[sig], 1, __ATOMIC_SEQ_CST);
}

static void
dispose (gboolean handle)
{
  guint i;
  for (i = 0; i < G_N_ELEMENTS (signals); i++) {
    struct sigaction sa = { 0 };
    sigemptyset (&sa.sa_mask);
    sa.sa_flags = SA_RESTART;
    if (handle) {
      sa.sa_sigaction = handler;
      sa.sa_flags |= SA_SIGINFO;
    } else {
      sa.sa_handler = SIG_IGN;
    }
    if (sigaction (signals[i], &sa, NULL) != 0)
      die ("sigaction", strsignal (signals[i]));
  }
}

static void
await_call (int sig, int before)
{
  gint64 end = g_get_monotonic_time () + 20 * G_USEC_PER_SEC;
  while (__atomic_load_n (&calls[sig], __ATOMIC_SEQ_CST) <= before) {
    if (g_get_monotonic_time () > end) {
      die ("the host's own handler is not called for", strsignal (sig));
    }
    g_usleep (200);
  }
}

/* Each signal comes to the process, and to this thread. */
static void
send_all (gboolean handle)
{
  guint i, round;
  for (round = 0; round < 50; round++)
    for (i = 0; i < G_N_ELEMENTS (signals); i++) {
      int sig = signals[i], before = __atomic_load_n (&calls[sig], __ATOMIC_SEQ_CST);
      if (round % 2)
        pthread_kill (pthread_self (), sig);
      else
        kill (getpid (), sig);
      if (handle)
        await_call (sig, before);
    }
}

static void *
write_to_nobody (void *handle)
{
  int fds[2], before = calls[SIGPIPE];
  if (pipe (fds) != 0)
    die ("pipe", strerror (errno));
  close (fds[0]);
  errno = 0;
  if (write (fds[1], "x", 1) != -1 || errno != EPIPE)
    die ("writing to a pipe that nobody reads", strerror (errno));
  close (fds[1]);
  if (handle)
    await_call (SIGPIPE, before);
  return NULL;
}

static void
perish (int sig)
{
  if (sig == SIGPIPE)
    write_to_nobody (NULL);
  else
    kill (getpid (), sig);
  g_usleep (LIMIT_US);
  die ("it lives after", strsignal (sig));
}

int
main (int argc, char **argv)
{
  gboolean before = strcmp (argv[1], "before") == 0, handle = strcmp (argv[2], "handle") == 0;
  GstElement *p;
  pthread_t thread;
  /* Whoever started this may have it ignored: nohup, a background shell. */
  if (strcmp (argv[1], "never") == 0)
    signal (atoi (argv[2]), SIG_DFL);
  if (before)
    dispose (handle);
  gst_init (NULL, NULL);
  p = parse (argv[3]);
  if (strcmp (argv[1], "after") == 0)
    dispose (handle);
  play (p);
  await_delivered (p, 1);
  if (strcmp (argv[1], "never") == 0)
    perish (atoi (argv[2]));

  send_all (handle);
  write_to_nobody (GINT_TO_POINTER (handle));
  pthread_create (&thread, NULL, write_to_nobody, GINT_TO_POINTER (handle));
  pthread_join (thread, NULL);
  if (handle && system ("exit 7") >> 8 != 7)    /* SIGCHLD is ours, and a child can be started */
    die ("system", "a child's status is not what it was");

  await_delivered (p, figure (p, "records-delivered") + 1);
  finish (p);
  printf ("done\n");
  return 0;
}
