/* crash before|after|none segv|fpe|bus|ill|abrt main|thread|probe LINE
 *
 * Crashes in C code while records flow: in the main thread, in one of the host's own, or in the streaming thread that feeds the sink. A crash
 * handler that was set before or after the plugin was loaded is called, and tells; without one the process dies of the signal. */
#include "host.h"
#include <fcntl.h>
#include <sys/mman.h>

static char stack[1 << 16];
static const char *how;

static void
handler (int sig, siginfo_t *info, void *context)
{
  char text[] = "caught 00\n";
  text[7] = '0' + sig / 10;
  text[8] = '0' + sig % 10;
  if (write (1, text, sizeof text - 1) < 0)
    _exit (2);
  _exit (40);
}

static void
dispose (void)
{
  static const int signals[] = { SIGSEGV, SIGFPE, SIGBUS, SIGILL, SIGABRT };
  stack_t alt = { 0 };
  guint i;
  alt.ss_sp = stack;
  alt.ss_size = sizeof stack;
  sigaltstack (&alt, NULL);
  for (i = 0; i < G_N_ELEMENTS (signals); i++) {
    struct sigaction sa = { 0 };
    sa.sa_sigaction = handler;
    sa.sa_flags = SA_SIGINFO | SA_ONSTACK;
    sigaction (signals[i], &sa, NULL);
  }
}

static void
crash (void)
{
  volatile int zero = 0;
  int fd;
  if (strcmp (how, "segv") == 0) {
    *(volatile int *) GSIZE_TO_POINTER (zero) = 1;
  } else if (strcmp (how, "fpe") == 0) {
    printf ("%d\n", 7 / zero);
  } else if (strcmp (how, "ill") == 0) {
    __builtin_trap ();
  } else if (strcmp (how, "bus") == 0) {
    fd = memfd_create ("empty", 0);
    *(volatile char *) mmap (NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0) = 1;
  }
  abort ();
}

static void *
crash_thread (void *unused)
{
  crash ();
  return NULL;
}

static GstPadProbeReturn
crash_probe (GstPad *pad, GstPadProbeInfo *info, gpointer unused)
{
  crash ();
  return GST_PAD_PROBE_OK;
}

int
main (int argc, char **argv)
{
  const char *when = argv[1], *where = argv[3];
  GstElement *p, *sink;
  pthread_t thread;
  how = argv[2];
  if (strcmp (when, "before") == 0)
    dispose ();
  gst_init (NULL, NULL);
  p = parse (argv[4]);
  if (strcmp (when, "after") == 0)
    dispose ();
  play (p);
  await_delivered (p, 1);
  if (strcmp (where, "main") == 0)
    crash ();
  if (strcmp (where, "thread") == 0) {
    pthread_create (&thread, NULL, crash_thread, NULL);
    pthread_join (thread, NULL);
  }
  sink = gst_bin_get_by_name (GST_BIN (p), "sink");
  gst_pad_add_probe (gst_element_get_static_pad (sink, "sink"), GST_PAD_PROBE_TYPE_BUFFER, crash_probe, NULL, NULL);
  g_usleep (LIMIT_US);
  die ("crash", "it lives");
  return 1;
}
