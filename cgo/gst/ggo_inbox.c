/* An inbox: buffers on their way from one streaming thread to one goroutine, without a call between the languages for each.
 *
 * A thread that has been in Go keeps one of Go's processors for up to 10 ms, and Go's monitor wakes up every 20 us meanwhile; a goroutine that
 * calls C wakes the monitor, too. At 30 buffers a second that costs more than all that is done with them. Here the streaming thread writes into a
 * ring, and wakes the goroutine, if it waits, by an eventfd that Go's poller knows of; the goroutine reads the ring as memory, and the streaming
 * thread gives back what it is through with.
 *
 * The ring: pushed and taken only grow, the first by the streaming thread, the second by the goroutine; given, to which buffers were unmapped and
 * unrefed, is under the lock. All atomic accesses are sequentially consistent, on both sides, which is what makes the two "says that it waits, looks
 * again" below right. */
#include "ggo.h"
#include <errno.h>
#include <unistd.h>
#include <sys/eventfd.h>

GgoInbox *
ggo_inbox_new (void)
{
  GgoInbox *in = g_new0 (GgoInbox, 1);

  g_mutex_init (&in->lock);
  g_cond_init (&in->moved);
  in->flow = GST_FLOW_FLUSHING;
  in->fd = -1;
  return in;
}

/* Nobody may be in a function of the inbox. */
void
ggo_inbox_free (GgoInbox * in)
{
  g_mutex_clear (&in->lock);
  g_cond_clear (&in->moved);
  g_free (in);
}

/* Opens the inbox; the errno where there is no descriptor left. The descriptor is Go's to close. */
gint
ggo_inbox_open (GgoInbox * in)
{
  in->fd = eventfd (0, EFD_NONBLOCK | EFD_CLOEXEC);
  if (in->fd < 0)
    return errno;
  g_atomic_int_set (&in->ended, FALSE);
  ggo_inbox_set_flow (in, GST_FLOW_OK);
  return 0;
}

/* Writing fails only where the counter is full, which is as good. */
static void
wake (GgoInbox * in)
{
  const guint64 one = 1;
  gssize n = write (in->fd, &one, sizeof one);
  (void) n;
}

/* Lets the goroutine end when the ring is empty. */
void
ggo_inbox_end (GgoInbox * in)
{
  ggo_inbox_set_flow (in, GST_FLOW_FLUSHING);
  g_atomic_int_set (&in->ended, TRUE);
  wake (in);
}

/* Tells those who wait that the goroutine is through with buffers. */
void
ggo_inbox_tell (GgoInbox * in)
{
  g_mutex_lock (&in->lock);
  g_cond_broadcast (&in->moved);
  g_mutex_unlock (&in->lock);
}

/* What a push answers from now on; a push that waits for room does not wait any longer where that is an error. */
void
ggo_inbox_set_flow (GgoInbox * in, gint flow)
{
  g_atomic_int_set (&in->flow, flow);
  ggo_inbox_tell (in);
}

/* Takes buffers again where a push answers that flow. */
void
ggo_inbox_resume (GgoInbox * in, gint flow)
{
  g_atomic_int_compare_and_exchange (&in->flow, flow, GST_FLOW_OK);
}

/* Gives back what the goroutine is through with. */
void
ggo_inbox_give_back (GgoInbox * in)
{
  if (g_atomic_int_get (&in->given) == g_atomic_int_get (&in->taken))
    return;
  g_mutex_lock (&in->lock);
  for (; in->given != g_atomic_int_get (&in->taken); g_atomic_int_inc (&in->given)) {
    GgoView *v = &in->ring[(guint) in->given % GGO_INBOX_SIZE];
    ggo_view_unmap (v);
    gst_buffer_unref (v->buffer);
  }
  g_mutex_unlock (&in->lock);
}

gboolean
ggo_inbox_is_full (GgoInbox * in)
{
  guint n = (guint) g_atomic_int_get (&in->pushed) - (guint) g_atomic_int_get (&in->taken);

  return n == GGO_INBOX_SIZE || (n > 0 && in->pushed_bytes - __atomic_load_n (&in->taken_bytes, __ATOMIC_SEQ_CST) >= GGO_INBOX_BYTES);
}

/* Ends a wait for room, for once. */
void
ggo_inbox_interrupt (GgoInbox * in)
{
  g_atomic_int_inc (&in->interrupts);
  ggo_inbox_tell (in);
}

/* Waits while the ring is full and buffers are taken, unless there was an interrupt since there were so many; whether there was. */
static gboolean
await_room (GgoInbox * in, gint interrupts)
{
  gboolean interrupted = FALSE;

  g_mutex_lock (&in->lock);
  g_atomic_int_inc (&in->waiting);
  while (g_atomic_int_get (&in->flow) == GST_FLOW_OK && ggo_inbox_is_full (in)) {
    interrupted = g_atomic_int_get (&in->interrupts) != interrupts;
    if (interrupted)
      break;
    g_cond_wait (&in->moved, &in->lock);
  }
  g_atomic_int_add (&in->waiting, -1);
  g_mutex_unlock (&in->lock);
  return interrupted;
}

/* Whether the goroutine is through with all that was pushed. */
gboolean
ggo_inbox_is_settled (GgoInbox * in)
{
  return g_atomic_int_get (&in->pushed) == g_atomic_int_get (&in->taken);
}

/* Looks at a buffer, in the next place of the ring, which has room. More of its times costs more: for pads, which give their element. */
GgoView *
ggo_inbox_prepare (GgoInbox * in, GstElement * e, const GstSegment * segment, GstBuffer * b)
{
  GgoView *v = &in->ring[(guint) in->pushed % GGO_INBOX_SIZE];

  ggo_view_init (v, b, segment);
  v->running = G_MAXINT64;
  v->unix_zero = -1;
  if (e != NULL) {
    v->running = ggo_segment_running_time (segment, GST_BUFFER_PTS_IS_VALID (b) ? GST_BUFFER_PTS (b) : GST_BUFFER_DTS (b));
    /* Before PLAYING the base time is not the one that running time counts from. */
    if (ggo_element_state (e) == GST_STATE_PLAYING)
      v->unix_zero = ggo_element_unix_time (e, 0);
  }
  ggo_view_map (v, GST_MAP_READ);       /* Go sees whether it is mapped */
  return v;
}

/* Takes the buffer in any case, with its times in a segment. One thread at a time, which the pad's stream lock sees to; it waits while the ring is
 * full, and answers GGO_FLOW_INTERRUPTED where that was ended: see await_room. */
GstFlowReturn
ggo_inbox_push (GgoInbox * in, GstElement * e, const GstSegment * segment, GstBuffer * b, gint interrupts)
{
  GgoView *v;
  gint flow;

  if (ggo_inbox_is_full (in) && await_room (in, interrupts)) {
    gst_buffer_unref (b);
    return GGO_FLOW_INTERRUPTED;
  }
  ggo_inbox_give_back (in);
  flow = g_atomic_int_get (&in->flow);
  if (flow != GST_FLOW_OK) {
    gst_buffer_unref (b);
    return flow;
  }
  v = ggo_inbox_prepare (in, e, segment, b);
  in->pushed_bytes += v->size;
  g_atomic_int_inc (&in->pushed);
  if (g_atomic_int_compare_and_exchange (&in->waits, TRUE, FALSE))
    wake (in);
  return GST_FLOW_OK;
}

/* Waits until the goroutine is through with all that was pushed, at most so many us; negative: as long as it takes. */
gboolean
ggo_inbox_settle (GgoInbox * in, gint64 us)
{
  gint64 until = g_get_monotonic_time () + us;
  gboolean settled;

  g_mutex_lock (&in->lock);
  g_atomic_int_inc (&in->waiting);
  while (!(settled = ggo_inbox_is_settled (in))) {
    if (us < 0)
      g_cond_wait (&in->moved, &in->lock);
    else if (!g_cond_wait_until (&in->moved, &in->lock, until))
      break;
  }
  g_atomic_int_add (&in->waiting, -1);
  g_mutex_unlock (&in->lock);
  ggo_inbox_give_back (in);
  return settled;
}

/* Who asks by DRAIN wants its buffers back. */
void
ggo_inbox_query (GgoInbox * in, GstQuery * q)
{
  if (GST_QUERY_TYPE (q) == GST_QUERY_DRAIN)
    ggo_inbox_settle (in, -1);
}

/* Where the inbox is prompt: waits until the goroutine is through with what was pushed, and gives what it answered; GGO_FLOW_INTERRUPTED as
 * ggo_inbox_push. */
GstFlowReturn
ggo_inbox_await (GgoInbox * in, gint interrupts)
{
  GstFlowReturn r = GST_FLOW_OK;

  if (!g_atomic_int_get (&in->prompt))
    return GST_FLOW_OK;
  g_mutex_lock (&in->lock);
  g_atomic_int_inc (&in->waiting);
  while (!ggo_inbox_is_settled (in) && g_atomic_int_get (&in->flow) == GST_FLOW_OK) {
    if (g_atomic_int_get (&in->interrupts) != interrupts) {
      r = GGO_FLOW_INTERRUPTED;
      break;
    }
    g_cond_wait (&in->moved, &in->lock);
  }
  g_atomic_int_add (&in->waiting, -1);
  g_mutex_unlock (&in->lock);
  ggo_inbox_give_back (in);
  return r == GST_FLOW_OK ? g_atomic_int_get (&in->flow) : r;
}
