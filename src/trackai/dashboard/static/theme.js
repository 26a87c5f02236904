// Before anything is drawn: that scripts run, and the theme that was chosen here, if any.
document.documentElement.classList.add("scripted");
const chosen = localStorage.getItem("theme");
if (chosen) document.documentElement.dataset.theme = chosen;
