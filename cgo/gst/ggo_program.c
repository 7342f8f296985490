/* What programs need: signals and properties of any object, probes, the bus, a watch on a source. */
#include "ggo.h"
#include "_cgo_export.h"

/* ---- signals ---- */

static void
marshal_signal (GClosure * closure, GValue * result, guint n, const GValue * args, gpointer hint, gpointer data)
{
  GgoValue in[9], out = { 0 };
  guint i;

  out.type = GGO_NONE;
  for (i = 0; i < n && i < G_N_ELEMENTS (in); i++)
    ggo_value_from_gvalue (&args[i], &in[i]);
  ggoGoSignal (GPOINTER_TO_SIZE (closure->data), i, in, &out);
  if (result != NULL && G_VALUE_TYPE (result) != 0 && out.type != GGO_NONE)
    ggo_value_to_gvalue (&out, result);
  ggo_value_drop (&out);
}

static void
free_signal (gpointer data, GClosure * closure)
{
  ggoGoFree (GPOINTER_TO_SIZE (data));
}

/* signal may have a detail, as notify::name has. 0 where there is none of the name; the handle is freed then too. */
gulong
ggo_connect (gpointer object, const gchar * signal, uintptr_t handle)
{
  GClosure *c;
  guint id;
  GQuark detail;

  if (!g_signal_parse_name (signal, G_OBJECT_TYPE (object), &id, &detail, TRUE)) {
    ggoGoFree (handle);
    return 0;
  }
  c = g_closure_new_simple (sizeof (GClosure), GSIZE_TO_POINTER (handle));
  /* A notifier finds its own data in closure->data, not the closure's. */
  g_closure_add_finalize_notifier (c, GSIZE_TO_POINTER (handle), free_signal);
  g_closure_set_marshal (c, marshal_signal);
  return g_signal_connect_closure_by_id (object, id, detail, c, FALSE);
}

/* ---- properties ---- */

static GParamSpec *
find_property (gpointer object, const gchar * name, gchar ** why)
{
  GParamSpec *p = g_object_class_find_property (G_OBJECT_GET_CLASS (object), name);
  if (p == NULL)
    *why = g_strdup_printf ("%s has no property \"%s\"", G_OBJECT_TYPE_NAME (object), name);
  return p;
}

gint
ggo_object_property_type (gpointer object, const gchar * name)
{
  GParamSpec *p = g_object_class_find_property (G_OBJECT_GET_CLASS (object), name);
  GValue v = G_VALUE_INIT;
  gint t;
  if (p == NULL)
    return -1;
  g_value_init (&v, p->value_type);
  t = ggo_gvalue_type (&v);
  g_value_unset (&v);
  return t;
}

/* GObject would warn, and go on: here it is an answer. */
static gboolean
set_property (gpointer object, GParamSpec * p, GValue * v, gchar ** why)
{
  GValue valid = G_VALUE_INIT;
  gboolean changed;
  gchar *text;

  if (!(p->flags & G_PARAM_WRITABLE) || (p->flags & G_PARAM_CONSTRUCT_ONLY)) {
    *why = g_strdup_printf ("property \"%s\" cannot be set", p->name);
    return FALSE;
  }
  g_value_init (&valid, p->value_type);
  g_value_copy (v, &valid);
  changed = g_param_value_validate (p, &valid);
  g_value_unset (&valid);
  if (changed && !(p->flags & G_PARAM_LAX_VALIDATION)) {
    text = g_strdup_value_contents (v);
    *why = g_strdup_printf ("%s is out of range for property \"%s\"", text, p->name);
    g_free (text);
    return FALSE;
  }
  g_object_set_property (object, p->name, v);
  return TRUE;
}

/* why is the caller's to free. */
gboolean
ggo_object_set (gpointer object, const gchar * name, const GgoValue * in, gchar ** why)
{
  GParamSpec *p = find_property (object, name, why);
  GValue v = G_VALUE_INIT;
  gboolean ok;

  if (p == NULL)
    return FALSE;
  g_value_init (&v, p->value_type);
  ok = ggo_value_to_gvalue (in, &v);
  if (ok)
    ok = set_property (object, p, &v, why);
  else
    *why = g_strdup_printf ("property \"%s\" is of type %s", name, g_type_name (p->value_type));
  g_value_unset (&v);
  return ok;
}

/* As a launch line would set it. */
gboolean
ggo_object_set_string (gpointer object, const gchar * name, const gchar * value, gchar ** why)
{
  GParamSpec *p = find_property (object, name, why);
  GValue v = G_VALUE_INIT;
  gboolean ok;

  if (p == NULL)
    return FALSE;
  g_value_init (&v, p->value_type);
  ok = gst_value_deserialize_with_pspec (&v, value, p);
  if (ok)
    ok = set_property (object, p, &v, why);
  else
    *why = g_strdup_printf ("\"%s\" is no %s, which property \"%s\" takes", value, g_type_name (p->value_type), name);
  g_value_unset (&v);
  return ok;
}

/* v is the caller's to unset. */
gboolean
ggo_object_get (gpointer object, const gchar * name, GValue * v)
{
  GParamSpec *p = g_object_class_find_property (G_OBJECT_GET_CLASS (object), name);

  if (p == NULL || !(p->flags & G_PARAM_READABLE))
    return FALSE;
  g_value_init (v, p->value_type);
  g_object_get_property (object, name, v);
  return TRUE;
}

void
ggo_value_unset (GValue * v)
{
  g_value_unset (v);
}

/* ---- probes ---- */

static GstPadProbeReturn
probe (GstPad * pad, GstPadProbeInfo * info, gpointer data)
{
  GstObject *parent = gst_object_get_parent (GST_OBJECT (pad));
  gint r = ggoGoProbe (GPOINTER_TO_SIZE (data), parent, info->data);

  if (parent != NULL)
    gst_object_unref (parent);
  return r;
}

static void
free_handle (gpointer data)
{
  ggoGoFree (GPOINTER_TO_SIZE (data));
}

gulong
ggo_pad_probe (GstPad * pad, gint mask, uintptr_t handle)
{
  return gst_pad_add_probe (pad, mask, probe, GSIZE_TO_POINTER (handle), free_handle);
}

/* ---- watch ---- */

struct _GgoWatch {
  gint64 last;                  /* monotonic us; atomic, as all of these */
  gint64 buffers;
  gint eos, hold_eos;
  gint refs;
};

GgoWatch *
ggo_watch_new (void)
{
  GgoWatch *w = g_new0 (GgoWatch, 1);
  w->refs = 1;
  w->last = g_get_monotonic_time ();
  return w;
}

void
ggo_watch_unref (GgoWatch * w)
{
  if (g_atomic_int_dec_and_test (&w->refs))
    g_free (w);
}

static void
unref_watch (gpointer w)
{
  ggo_watch_unref (w);
}

static GstPadProbeReturn
watch (GstPad * pad, GstPadProbeInfo * info, gpointer data)
{
  GgoWatch *w = data;

  if (info->type & (GST_PAD_PROBE_TYPE_BUFFER | GST_PAD_PROBE_TYPE_BUFFER_LIST)) {
    __atomic_store_n (&w->last, g_get_monotonic_time (), __ATOMIC_RELAXED);
    __atomic_add_fetch (&w->buffers, 1, __ATOMIC_RELAXED);
    return GST_PAD_PROBE_OK;
  }
  if (GST_EVENT_TYPE (info->data) == GST_EVENT_EOS) {
    if (g_atomic_int_get (&w->hold_eos)) {
      g_atomic_int_set (&w->eos, 1);
      return GST_PAD_PROBE_DROP;
    }
  }
  return GST_PAD_PROBE_OK;
}

void
ggo_watch_pad (GgoWatch * w, GstPad * pad)
{
  g_atomic_int_inc (&w->refs);
  gst_pad_add_probe (pad, GST_PAD_PROBE_TYPE_BUFFER | GST_PAD_PROBE_TYPE_BUFFER_LIST | GST_PAD_PROBE_TYPE_EVENT_DOWNSTREAM,
      watch, w, unref_watch);
}

/* ---- bus ---- */

GstMessage *
ggo_bus_pop (GstBus * bus, guint64 timeout, gint types)
{
  return gst_bus_timed_pop_filtered (bus, timeout, types);
}

/* text and debug are the caller's; details are borrowed from the message. */
void
ggo_message_error (GstMessage * m, gint * domain, gint * code, gchar ** text, gchar ** debug, const GstStructure ** details)
{
  GError *e = NULL;

  *details = NULL;
  switch (GST_MESSAGE_TYPE (m)) {
    case GST_MESSAGE_ERROR:
      gst_message_parse_error (m, &e, debug);
      gst_message_parse_error_details (m, details);
      break;
    case GST_MESSAGE_WARNING:
      gst_message_parse_warning (m, &e, debug);
      gst_message_parse_warning_details (m, details);
      break;
    default:
      gst_message_parse_info (m, &e, debug);
      gst_message_parse_info_details (m, details);
  }
  *domain = e->domain == GST_CORE_ERROR ? 1 : e->domain == GST_LIBRARY_ERROR ? 2 : e->domain == GST_RESOURCE_ERROR ? 3 : 4;
  *code = e->code;
  *text = g_strdup (e->message);
  g_error_free (e);
}

const gchar *
ggo_message_source (GstMessage * m)
{
  return GST_MESSAGE_SRC_NAME (m);
}

/* Walks a GList: gives the item and the next link. */
gpointer
ggo_list_next (gpointer list, gpointer * item)
{
  GList *l = list;
  *item = l->data;
  return l->next;
}

gboolean
ggo_is (gpointer object, gint what)
{
  switch (what) {
    case 0: return GST_IS_ELEMENT (object);
    case 1: return GST_IS_BIN (object);
    case 2: return GST_IS_PAD (object);
    case 3: return GST_IS_URI_HANDLER (object);
    default: return FALSE;
  }
}

gboolean
ggo_is_pipeline (gpointer object)
{
  return GST_IS_PIPELINE (object);
}

/* A copy, made under the object's lock, of a bin's children (0) or an element's pads (1), with a reference each. */
gpointer
ggo_copy_list (gpointer object, gint what)
{
  GList *copy;

  GST_OBJECT_LOCK (object);
  copy = g_list_copy_deep (what == 0 ? GST_BIN_CHILDREN (object) : GST_ELEMENT (object)->pads, (GCopyFunc) gst_object_ref, NULL);
  GST_OBJECT_UNLOCK (object);
  return copy;
}

void
ggo_free_list (gpointer list)
{
  g_list_free_full (list, gst_object_unref);
}

gchar *
ggo_factory (GstElement * e, gint what)
{
  GstElementFactory *f = gst_element_get_factory (e);

  if (f == NULL)
    return NULL;
  return g_strdup (what == 0 ? GST_OBJECT_NAME (f) : gst_element_factory_get_metadata (f, GST_ELEMENT_METADATA_KLASS));
}

gboolean
ggo_element_has_flag (GstElement * e, guint flag)
{
  return GST_OBJECT_FLAG_IS_SET (e, flag);
}

void
ggo_watch_hold (GgoWatch * w, gboolean on)
{
  g_atomic_int_set (&w->hold_eos, on);
}

void
ggo_watch_reset (GgoWatch * w)
{
  g_atomic_int_set (&w->eos, 0);
  __atomic_store_n (&w->last, g_get_monotonic_time (), __ATOMIC_RELAXED);
}

gboolean
ggo_watch_eos (GgoWatch * w)
{
  return g_atomic_int_get (&w->eos);
}

gint64
ggo_watch_buffers (GgoWatch * w)
{
  return __atomic_load_n (&w->buffers, __ATOMIC_RELAXED);
}

gint64
ggo_watch_silence (GgoWatch * w)
{
  return g_get_monotonic_time () - __atomic_load_n (&w->last, __ATOMIC_RELAXED);
}
