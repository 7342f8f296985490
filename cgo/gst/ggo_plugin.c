/* The URI handler of a class, and the plugin that holds the classes. */
#include "ggo.h"
#include "_cgo_export.h"

/* ---- URI handler ---- */

static GstURIType
uri_type (GType t)
{
  GgoClass *c = g_type_get_qdata (t, ggo_class_quark ());
  return c->uri_type;
}

static const gchar *const *
uri_protocols (GType t)
{
  GgoClass *c = g_type_get_qdata (t, ggo_class_quark ());
  return (const gchar * const *) c->protocols;
}

static gchar *
uri_get (GstURIHandler * h)
{
  return ggoGoGetURI (ggo_instance (h)->handle);
}

static gboolean
uri_set (GstURIHandler * h, const gchar * uri, GError ** error)
{
  gchar *why;

  if (ggo_runs (h)) {
    g_set_error (error, GST_URI_ERROR, GST_URI_ERROR_BAD_STATE, "the URI can be set only in NULL or READY");
    return FALSE;
  }
  why = ggoGoSetURI (ggo_instance (h)->handle, (gchar *) uri);
  if (why == NULL)
    return TRUE;
  g_set_error (error, GST_URI_ERROR, GST_URI_ERROR_BAD_URI, "%s", why);
  g_free (why);
  return FALSE;
}

void
ggo_uri_handler_init (gpointer iface, gpointer data)
{
  GstURIHandlerInterface *i = iface;
  i->get_type = uri_type;
  i->get_protocols = uri_protocols;
  i->get_uri = uri_get;
  i->set_uri = uri_set;
}

/* ---- plugin ---- */

static gboolean
plugin_init (GstPlugin * plugin, gpointer data)
{
  if (ggoGoPluginInit (GPOINTER_TO_SIZE (data), plugin))
    return TRUE;
  /* GStreamer forgets the object of a static plugin that fails. */
  GST_OBJECT_FLAG_SET (plugin, GST_OBJECT_FLAG_MAY_BE_LEAKED);
  return FALSE;
}

gboolean
ggo_plugin_register_static (uintptr_t handle, const gchar * name, const gchar * description,
    const gchar * version, const gchar * license, const gchar * source, const gchar * package, const gchar * origin)
{
  return gst_plugin_register_static_full (GST_VERSION_MAJOR, GST_VERSION_MINOR, name, description, plugin_init,
      version, license, source, package, origin, GSIZE_TO_POINTER (handle));
}

/* What a library of ours answers to gst_plugin_<name>_get_desc. One plugin a library: its description, and the handle of its
 * PluginInfo, live as long as the library. */
static uintptr_t library_plugin;

static gboolean
library_plugin_init (GstPlugin * plugin)
{
  return ggoGoPluginInit (library_plugin, plugin);
}

const GstPluginDesc *
ggo_plugin_desc (uintptr_t handle, const gchar * name, const gchar * description,
    const gchar * version, const gchar * license, const gchar * source, const gchar * package, const gchar * origin)
{
  static GstPluginDesc desc;

  library_plugin = handle;
  desc.major_version = GST_VERSION_MAJOR;
  desc.minor_version = GST_VERSION_MINOR;
  desc.name = g_intern_string (name);
  desc.description = g_intern_string (description);
  desc.plugin_init = library_plugin_init;
  desc.version = g_intern_string (version);
  desc.license = g_intern_string (license);
  desc.source = g_intern_string (source);
  desc.package = g_intern_string (package);
  desc.origin = g_intern_string (origin);
  return &desc;
}
