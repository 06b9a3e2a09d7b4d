"use strict";
(function () {
  const specifications = JSON.parse(document.getElementById("specifications").textContent);
  const config = {
    background: null,
    font: "system-ui, 'Segoe UI', Roboto, 'Noto Sans', sans-serif",
    view: { stroke: null },
    axis: {
      labelColor: "var(--ink)", titleColor: "var(--ink)", gridColor: "var(--line)", domainColor: "var(--muted)",
      tickColor: "var(--muted)", labelFontSize: 12, titleFontSize: 12, titleFontWeight: "normal",
    },
    legend: { labelColor: "var(--ink)", titleColor: "var(--ink)", labelFontSize: 12, titleFontSize: 12 },
  };

  function draw(place) {
    if (place.dataset.drawn) return;
    place.dataset.drawn = "yes";
    const specification = specifications[place.dataset.chart];
    const compiled = vegaLite.compile(specification, { config: config, logger: vega.logger(vega.Error) }).spec;
    new vega.View(vega.parse(compiled), { renderer: "svg", container: place, hover: false, logLevel: vega.Error })
      .runAsync()
      .then(function () {
        // The place itself is the image and says what is to be seen.
        place.querySelector("svg").setAttribute("aria-hidden", "true");
      })
      .catch(function (fault) { console.error(place.dataset.chart, fault); });
  }

  function show(language) {
    document.documentElement.lang = language;
    document.querySelectorAll(".page").forEach(function (page) {
      page.hidden = page.dataset.language !== language;
      if (!page.hidden) page.querySelectorAll(".chart").forEach(draw);
    });
  }

  document.querySelectorAll("button.switch").forEach(function (button) {
    button.addEventListener("click", function () {
      show(button.dataset.to);
      document.querySelector(".page:not([hidden]) button.switch").focus();
    });
  });
  show(document.documentElement.lang);
})();
