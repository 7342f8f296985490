/* GStreamer's leaks tracer (GST_TRACERS=leaks). Its signal get-live-objects is not used: it hands out references that it does not own. */
#define GST_USE_UNSTABLE_API
#include "gt.h"
#include <gst/gsttracer.h>
#include <malloc.h>

/* The tracer, with a reference; NULL where it does not run. */
GObject *
gt_leaks_tracer (void)
{
  GList *all = gst_tracing_get_active_tracers (), *l;
  GObject *found = NULL;

  for (l = all; l != NULL && found == NULL; l = l->next)
    if (g_strcmp0 (G_OBJECT_TYPE_NAME (l->data), "GstLeaksTracer") == 0)
      found = g_object_ref (l->data);
  g_list_free_full (all, gst_object_unref);
  return found;
}

/* Whether a live object is one of those that GStreamer keeps for good: a class's pad templates, what is in the registry. */
gboolean
gt_may_be_leaked (const gchar * type, guint64 address)
{
  gpointer object = GSIZE_TO_POINTER (address);
  GType t = g_type_from_name (type);

  if (g_type_is_a (t, GST_TYPE_PLUGIN_FEATURE) || g_type_is_a (t, GST_TYPE_PLUGIN))
    return TRUE;
  if (g_type_is_a (t, GST_TYPE_OBJECT))
    return GST_OBJECT_FLAG_IS_SET (object, GST_OBJECT_FLAG_MAY_BE_LEAKED);
  return GST_MINI_OBJECT_FLAG_IS_SET (object, GST_MINI_OBJECT_FLAG_MAY_BE_LEAKED);
}

/* The caller frees the text. */
gchar *
gt_describe (guint64 address)
{
  return gst_info_strdup_printf ("%" GST_PTR_FORMAT, GSIZE_TO_POINTER (address));
}

guint64
gt_heap_in_use (void)
{
#if defined(__GLIBC__) && (__GLIBC__ > 2 || __GLIBC_MINOR__ >= 33)
  struct mallinfo2 m = mallinfo2 ();
  return m.uordblks + m.hblkhd;
#else
  return 0;
#endif
}
