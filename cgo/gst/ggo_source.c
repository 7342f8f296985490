/* Sources on GstPushSrc. */
#include "ggo.h"
#include "_cgo_export.h"

#define PARENT(e) ((GstBaseSrcClass *) ggo_instance (e)->klass->parent)

static GstFlowReturn
create (GstPushSrc * s, GstBuffer ** out)
{
  GgoInstance *g = ggo_instance (s);
  gpointer b = NULL;
  GstFlowReturn r;

  if (g_atomic_int_get (&g->poisoned))
    return GST_FLOW_ERROR;
  r = ggoGoCreate (g->handle, &b);
  if (r == GST_FLOW_OK && b == NULL) {
    GST_ELEMENT_ERROR (s, LIBRARY, FAILED, ("The source gave no buffer where it said it did."), (NULL));
    return GST_FLOW_ERROR;
  }
  if (r != GST_FLOW_OK && b != NULL)
    gst_buffer_unref (b);
  else
    *out = b;
  return r;
}

static gboolean
start (GstBaseSrc * s)
{
  GgoInstance *g = ggo_instance (s);
  return !(g->has & GGO_HAS_START) || ggoGoStart (g->handle);
}

static gboolean
stop (GstBaseSrc * s)
{
  GgoInstance *g = ggo_instance (s);
  return !(g->has & GGO_HAS_STOP) || ggoGoStop (g->handle);
}

static gboolean
unlock (GstBaseSrc * s)
{
  GgoInstance *g = ggo_instance (s);
  if (g->has & GGO_HAS_UNLOCK)
    ggoGoUnlock (g->handle, TRUE);
  return TRUE;
}

static gboolean
unlock_stop (GstBaseSrc * s)
{
  GgoInstance *g = ggo_instance (s);
  if (g->has & GGO_HAS_UNLOCK)
    ggoGoUnlock (g->handle, FALSE);
  return TRUE;
}

static GstCaps *
get_caps (GstBaseSrc * s, GstCaps * filter)
{
  GgoInstance *g = ggo_instance (s);
  GstCaps *caps, *x;

  caps = (g->has & GGO_HAS_CAPS) ? ggoGoCaps (g->handle) : NULL;
  if (caps == NULL)
    return PARENT (s)->get_caps (s, filter);
  if (filter == NULL)
    return caps;
  x = gst_caps_intersect_full (filter, caps, GST_CAPS_INTERSECT_FIRST);
  gst_caps_unref (caps);
  return x;
}

static gboolean
set_caps (GstBaseSrc * s, GstCaps * caps)
{
  GgoInstance *g = ggo_instance (s);
  return !(g->has & GGO_HAS_SET_CAPS) || ggoGoSetCaps (g->handle, NULL, caps);
}

static gboolean
event (GstBaseSrc * s, GstEvent * e)
{
  GgoInstance *g = ggo_instance (s);
  if (g->has & GGO_HAS_EVENT)
    return ggoGoEvent (g->handle, 0, e);
  return PARENT (s)->event (s, e);
}

gboolean
ggo_source_event_parent (GstElement * e, GstEvent * event)
{
  return PARENT (e)->event (GST_BASE_SRC (e), event);
}

static gboolean
query (GstBaseSrc * s, GstQuery * q)
{
  GgoInstance *g = ggo_instance (s);
  if (g->has & GGO_HAS_QUERY)
    return ggoGoQuery (g->handle, 0, q);
  return PARENT (s)->query (s, q);
}

gboolean
ggo_source_query_parent (GstElement * e, GstQuery * query)
{
  return PARENT (e)->query (GST_BASE_SRC (e), query);
}

static gboolean
is_seekable (GstBaseSrc * s)
{
  return FALSE;
}

void
ggo_source_class_init (GstPushSrcClass * k, GgoClass * c)
{
  GstBaseSrcClass *b = (GstBaseSrcClass *) k;
  k->create = create;
  b->start = start;
  b->stop = stop;
  b->unlock = unlock;
  b->unlock_stop = unlock_stop;
  b->get_caps = get_caps;
  b->set_caps = set_caps;
  b->event = event;
  b->query = query;
  b->is_seekable = is_seekable;
}
