
// The switch between the themes.

function themes() {
  const root = document.documentElement;
  const button = document.getElementById("theme");
  const dark = matchMedia("(prefers-color-scheme: dark)");
  // Pages opened from a disk may have no storage.
  const stored = (change) => { try { return change(localStorage); } catch { return null; } };
  const set = (theme) => {
    if (theme === "system") delete root.dataset.theme;
    else root.dataset.theme = theme;
    root.toggleAttribute("data-dark", theme === "dark" || (theme === "system" && dark.matches));
    button.textContent = `Theme: ${theme}`;
  };
  const order = ["system", "dark", "light"];
  let theme = stored((storage) => storage.getItem("sureness-theme"));
  if (!order.includes(theme)) theme = "system";
  set(theme);
  dark.addEventListener("change", () => set(theme));
  button.addEventListener("click", () => {
    theme = order[(order.indexOf(theme) + 1) % order.length];
    stored((storage) => storage.setItem("sureness-theme", theme));
    set(theme);
  });
}
