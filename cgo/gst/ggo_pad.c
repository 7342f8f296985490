/* Plain elements: pads of their own, tasks, request pads. What a pad has of ours is its element_private, and dies with the pad. */
#include "ggo.h"
#include "_cgo_export.h"

typedef struct {
  uintptr_t handle;
  GgoInbox *inbox;              /* NULL: none */
  GstSegment segment;           /* of the streaming thread, for the inbox */
  gboolean asks;                /* Go has a function for queries */
} Own;

static void
free_own (gpointer data)
{
  Own *own = data;

  ggoGoFree (own->handle);
  if (own->inbox != NULL)
    ggo_inbox_free (own->inbox);
  g_free (own);
}

static Own *
own_of (GstPad * pad)
{
  return gst_pad_get_element_private (pad);
}

static uintptr_t
handle_of (GstPad * pad)
{
  return own_of (pad)->handle;
}

static GstFlowReturn
chain (GstPad * pad, GstObject * parent, GstBuffer * b)
{
  if (ggo_poisoned (parent)) {
    gst_buffer_unref (b);
    return GST_FLOW_ERROR;
  }
  return ggoGoPadChain (handle_of (pad), b);
}

static GstFlowReturn
take (GstPad * pad, GstObject * parent, GstBuffer * b)
{
  Own *own = own_of (pad);
  GstFlowReturn r;

  if (ggo_poisoned (parent)) {
    gst_buffer_unref (b);
    return GST_FLOW_ERROR;
  }
  r = ggo_inbox_push (own->inbox, GST_ELEMENT (parent), &own->segment, b, 0);
  return r == GST_FLOW_OK ? ggo_inbox_await (own->inbox, 0) : r;
}

static GstFlowReturn
chain_list (GstPad * pad, GstObject * parent, GstBufferList * l)
{
  if (ggo_poisoned (parent)) {
    gst_buffer_list_unref (l);
    return GST_FLOW_ERROR;
  }
  return ggoGoPadChainList (handle_of (pad), l);
}

static gboolean
pad_event (GstPad * pad, GstObject * parent, GstEvent * e)
{
  Own *own = own_of (pad);

  if (GST_EVENT_TYPE (e) == GST_EVENT_SEGMENT)
    gst_event_copy_segment (e, &own->segment);
  else if (GST_EVENT_TYPE (e) == GST_EVENT_FLUSH_STOP)
    gst_segment_init (&own->segment, GST_FORMAT_UNDEFINED);
  return ggoGoPadEvent (handle_of (pad), e);
}

static gboolean
pad_query (GstPad * pad, GstObject * parent, GstQuery * q)
{
  Own *own = own_of (pad);

  if (own->inbox != NULL)
    ggo_inbox_query (own->inbox, q);
  return own->asks ? ggoGoPadQuery (own->handle, q) : gst_pad_query_default (pad, parent, q);
}

/* By the signal: the unlink function is called with both pads' locks held. */
static void
unlinked (GstPad * pad, GstPad * peer, gpointer data)
{
  ggoGoPadUnlinked (handle_of (pad));
}

static gboolean
activate_mode (GstPad * pad, GstObject * parent, GstPadMode mode, gboolean active)
{
  gboolean ok;

  if (mode != GST_PAD_MODE_PUSH)
    return FALSE;
  ok = ggoGoPadActivate (handle_of (pad), active);
  /* The task ends with the data flow whatever Go does: it must not run on a pad that is freed. */
  if (!active)
    ok = gst_pad_stop_task (pad);
  return ok;
}

GstPad *
ggo_pad_new (GstElement * e, const gchar * template_name, const gchar * name, uintptr_t handle, guint32 has)
{
  GstPadTemplate *t = gst_element_class_get_pad_template (GST_ELEMENT_GET_CLASS (e), template_name);
  GstPad *pad;
  Own *own;

  if (t == NULL)
    return NULL;
  pad = gst_pad_new_from_template (t, name);
  own = g_new0 (Own, 1);
  own->handle = handle;
  gst_segment_init (&own->segment, GST_FORMAT_UNDEFINED);
  gst_pad_set_element_private (pad, own);
  g_object_set_qdata_full (G_OBJECT (pad), g_quark_from_static_string ("ggo-own"), own, free_own);
  if (has & GGO_PAD_TAKE) {
    own->inbox = ggo_inbox_new ();
    gst_pad_set_chain_function (pad, take);
  }
  if (has & GGO_PAD_CHAIN)
    gst_pad_set_chain_function (pad, chain);
  if (has & GGO_PAD_CHAIN_LIST)
    gst_pad_set_chain_list_function (pad, chain_list);
  if (has & GGO_PAD_EVENT)
    gst_pad_set_event_function (pad, pad_event);
  own->asks = (has & GGO_PAD_QUERY) != 0;
  if (has & (GGO_PAD_QUERY | GGO_PAD_TAKE))
    gst_pad_set_query_function (pad, pad_query);
  if (has & GGO_PAD_UNLINKED)
    g_signal_connect (pad, "unlinked", G_CALLBACK (unlinked), NULL);
  if (has & GGO_PAD_ACTIVATE)
    gst_pad_set_activatemode_function (pad, activate_mode);
  return pad;
}

static void
task (gpointer data)
{
  GstPad *pad = data;
  if (!ggoGoPadTask (handle_of (pad)))
    gst_pad_pause_task (pad);
}

/* Takes the floating pad whether it is added or not: a second pad of a name is refused, for which GStreamer would only have a critical. */
gboolean
ggo_pad_add (GstElement * e, GstPad * pad, gboolean active)
{
  GstPad *other;
  gchar *name = gst_pad_get_name (pad);

  other = gst_element_get_static_pad (e, name);
  g_free (name);
  if (other != NULL) {
    gst_object_unref (other);
    gst_object_ref_sink (pad);
    gst_object_unref (pad);
    return FALSE;
  }
  if (active)
    gst_pad_set_active (pad, TRUE);
  return gst_element_add_pad (e, pad);
}

gboolean
ggo_pad_start_task (GstPad * pad)
{
  return gst_pad_start_task (pad, task, pad, NULL);
}

GstBuffer *
ggo_list_at (GstBufferList * l, guint i)
{
  return gst_buffer_list_get (l, i);
}

static GstPad *
request_new_pad (GstElement * e, GstPadTemplate * t, const gchar * name, const GstCaps * caps)
{
  GgoInstance *g = ggo_instance (e);
  if (!(g->has & GGO_HAS_REQUEST_PAD))
    return NULL;
  return ggoGoRequestPad (g->handle, GST_PAD_TEMPLATE_NAME_TEMPLATE (t), (gchar *) name, (GstCaps *) caps);
}

static void
release_pad (GstElement * e, GstPad * pad)
{
  ggoGoReleasePad (ggo_instance (e)->handle, pad);
}

static gboolean
element_query (GstElement * e, GstQuery * q)
{
  GgoInstance *g = ggo_instance (e);
  if (g->has & GGO_HAS_QUERY)
    return ggoGoQuery (g->handle, GST_PAD_UNKNOWN, q);
  return ggo_element_query_parent (e, q);
}

gboolean
ggo_element_query_parent (GstElement * e, GstQuery * q)
{
  GstElementClass *parent = ggo_instance (e)->klass->parent;
  return parent->query != NULL && parent->query (e, q);
}

void
ggo_element_class_init (GstElementClass * k, GgoClass * c)
{
  k->query = element_query;
  k->request_new_pad = request_new_pad;
  k->release_pad = release_pad;
}

uintptr_t
ggo_pad_handle (GstPad * pad)
{
  return handle_of (pad);
}

GgoInbox *
ggo_pad_inbox (GstPad * pad)
{
  return own_of (pad)->inbox;
}

gboolean
ggo_pad_event_default (GstPad * pad, GstEvent * e)
{
  GstObject *parent = gst_object_get_parent (GST_OBJECT (pad));
  gboolean ok = gst_pad_event_default (pad, parent, e);
  if (parent != NULL)
    gst_object_unref (parent);
  return ok;
}

gboolean
ggo_pad_query_default (GstPad * pad, GstQuery * q)
{
  GstObject *parent = gst_object_get_parent (GST_OBJECT (pad));
  gboolean ok = gst_pad_query_default (pad, parent, q);
  if (parent != NULL)
    gst_object_unref (parent);
  return ok;
}

void
ggo_element_set_flag (GstElement * e, guint flag)
{
  GST_OBJECT_FLAG_SET (e, flag);
}

void
ggo_element_post_eos (GstElement * e, guint32 seqnum)
{
  GstMessage *m = gst_message_new_eos (GST_OBJECT (e));
  gst_message_set_seqnum (m, seqnum);
  gst_element_post_message (e, m);
}

/* The running time of a position, also one that lies before the segment; G_MAXINT64 where the segment does not count in time. */
gint64
ggo_segment_running_time (const GstSegment * s, guint64 position)
{
  guint64 t = 0;
  gint sign = s->format == GST_FORMAT_TIME && GST_CLOCK_TIME_IS_VALID (position) ? gst_segment_to_running_time_full (s, GST_FORMAT_TIME, position, &t) : 0;

  if (sign == 0)
    return G_MAXINT64;
  return sign < 0 ? -(gint64) t : (gint64) t;
}

/* GStreamer leaves undefined what a second request for a pad of one name gives. */
GstPad *
ggo_request_pad (GstElement * e, const gchar * name)
{
  GstPad *pad = gst_element_get_static_pad (e, name);

  if (pad == NULL)
    return gst_element_request_pad_simple (e, name);
  if (GST_PAD_PAD_TEMPLATE (pad) == NULL || GST_PAD_TEMPLATE_PRESENCE (GST_PAD_PAD_TEMPLATE (pad)) != GST_PAD_REQUEST)
    return pad;
  gst_object_unref (pad);
  return NULL;
}
